/**
 * How long each action of the panel is expected to take on a checkpoint without some blocks, before it starts: that of the jobs
 * which its command would run. Arithmetic on headers, sizes of files and learned speeds: it computes nothing, and runs whenever
 * the plan changes.
 */
import { existsSync } from 'node:fs';
import { TASK_NAMES, type TaskName } from '../../engine/evaluate/tasks/catalogue';
import { healable } from '../../engine/heal/healable';
import { DEFAULT_WINDOW } from '../../engine/importance/drawing';
import { WANTED_SAMPLES } from '../../engine/records/before-after/missing';
import { roughTime } from '../../estimates/words';
import { USUAL_QUESTIONS } from '../../jobs/amounts';
import { HEAL_TOKENS, SELF } from '../../jobs/healing-amounts';
import type { LabelledModel } from '../../jobs/option';
import type { ActionTimes } from '../../protocol/panel';
import { roomIn } from '../../state/protection';
import type { Chosen } from './choose-checkpoint';
import type { Coppice } from '../coppice';
import { usualHealingText } from './healing';
import { healingOf, type PlannedJob, settingsOptions, timeWords } from './job-time';
import { JUDGING_WINDOWS, REPETITIONS } from './judging-text';
import { recall } from './remembered';
import { usualTraining } from './usual-training';

/** The folder or file of an output whose name is asked later. */
const LATER = 'later';

/** @param removed blocks of the plan */
export function actionTimes(coppice: Coppice, chosen: Chosen, removed: readonly number[]): ActionTimes {
  const { path: checkpoint, architecture, subject } = chosen;
  const { criterion } = coppice.config;
  const time = (...jobs: readonly PlannedJob[]): string => timeWords(coppice, chosen, ...jobs);
  const settings = settingsOptions(coppice, chosen);
  const scored = coppice.scores.all(subject);
  const score: PlannedJob = { kind: 'score', checkpoint, criterion, ...settings };
  const isScored = scored.some((each) => each.criterion === criterion);
  const prompts = recall<string>(coppice, 'draft', 'prompts', '');
  const remove = removed.length > 0 ? removed : undefined;
  const columns: readonly LabelledModel[] = [
    { label: '', checkpoint },
    ...(remove ? [{ label: '', checkpoint, remove }] : []),
  ];
  const compared = time(...comparison(chosen, removed));
  const text = usualHealingText(coppice, subject);
  const heal = (data: string | undefined, tokens: number, out?: string): string =>
    time(healingOf(chosen, { removed, data, tokens, out }));
  const blocks = architecture.layers.length;
  const count = Math.max(1, Math.min(Math.round(blocks / 5), roomIn(blocks, coppice.config)));
  return {
    score: time(score),
    // The question starts from scores of any criterion.
    suggest: scored.length > 0 ? roughTime(0) : time(score),
    curve: time({ kind: 'curve', checkpoint, criterion, ...settings, ...(isScored && { scores: LATER }) }),
    prune: time({ kind: 'prune', checkpoint, blocks: removed, out: LATER }),
    ...(remove &&
      healable(architecture) && {
        heal: heal(text, HEAL_TOKENS.normal, LATER),
        ...(text === SELF && { healOnText: heal(undefined, HEAL_TOKENS.normal, LATER) }),
        healed: heal(SELF, HEAL_TOKENS.quick),
      }),
    retrain: usualTraining(coppice, chosen, removed),
    merge: time({ kind: 'merge', checkpoint }),
    export: time({ kind: 'export', checkpoint, remove }),
    compare: compared,
    beforeAfter: compared,
    tasks: time({ kind: 'tasks', columns, ...usualQuestions(coppice) }),
    speed: time({ kind: 'speeds', columns }),
    iterate: time({ kind: 'iterate', checkpoint, criterion, ...settings, count, method: 'lora', steps: 50 }),
    frontier: time({
      kind: 'frontier',
      checkpoint,
      text: coppice.config.calibration.file,
      limit: JUDGING_WINDOWS,
      ...settings,
    }),
    versus: time({ kind: 'versus', checkpoint, ...settings, ...(remove && { plan: removed }) }),
    vocabulary: time({ kind: 'vocabulary', checkpoint }),
    // How many prompts there are is known of those that were chosen last.
    ...(existsSync(prompts) && { draft: time({ kind: 'draft', checkpoint, for: 'genai', prompts, remove }) }),
    text: time({ kind: 'generate', checkpoint, remove }),
  };
}

/** What a comparison with the original runs, if the plan were written: perplexity of both, speeds and texts. */
function comparison({ path: checkpoint, architecture }: Chosen, remove: readonly number[]): PlannedJob[] {
  const both = [
    { label: '', checkpoint },
    { label: '', checkpoint, remove },
  ];
  const read = {
    checkpoint,
    window: Math.min(DEFAULT_WINDOW, architecture.context),
    limit: JUDGING_WINDOWS,
    text: LATER,
  };
  return [
    { kind: 'eval', ...read },
    { kind: 'eval', ...read, remove, repetition: REPETITIONS },
    { kind: 'speeds', columns: both },
    { kind: 'samples', columns: both, prompts: Array.from({ length: WANTED_SAMPLES }, () => '') },
  ];
}

/** As many records of each task as the command proposes. */
function usualQuestions(coppice: Coppice): { readonly tasks: readonly TaskName[]; readonly limit: number } {
  const chosen = recall<string>(coppice, 'tasks', 'tasks', '');
  const names = TASK_NAMES.filter((name) => chosen === '' || chosen.split(',').includes(name));
  return { tasks: names, limit: recall<number>(coppice, 'tasks', 'limit', USUAL_QUESTIONS) || USUAL_QUESTIONS };
}
