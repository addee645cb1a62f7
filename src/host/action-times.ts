/**
 * How long each action of the panel is expected to take on a checkpoint without some blocks, before it starts. Arithmetic on
 * headers, sizes of files and learned speeds: it computes nothing, and runs whenever the plan changes.
 */
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { healable } from '../engine/heal/healable';
import { QUICK } from '../engine/evaluate/grid/protocol';
import { TASK_NAMES } from '../engine/evaluate/tasks/catalogue';
import { usualCounts, VERSUS_METHODS } from '../engine/evaluate/versus-methods';
import { WANTED_SAMPLES } from '../engine/records/before-after/missing';
import { TOKENS_PER_ITEM, USUAL_QUESTIONS } from '../jobs/amounts';
import { HEAL_TOKENS, healingRows, SELF } from '../jobs/healing-amounts';
import type { ActionTimes } from '../protocol/panel';
import { nestedParts, scoringParts, writing, healingParts } from '../recipes/estimate/choosing';
import { files, withStart } from '../recipes/estimate/parts';
import type { Part } from '../recipes/estimate/speeds';
import { protectionOf } from '../views/protection';
import { modelOf } from './ask-training';
import type { Chosen } from './choose-checkpoint';
import { perplexityWork, speedWork, textsWork } from './compare-estimate';
import type { Coppice } from './coppice';
import { exportEstimate, tasksEstimate, textEstimate } from './estimates';
import { timeOf } from './expected-time';
import { markedTime } from '../jobs/rough-time';
import { usualHealingText } from './healing';
import { iterationEstimate } from './iteration-estimate';
import { recall } from './remembered';
import { usualTraining } from './usual-training';
import { versusEstimate } from './versus-estimate';

/** @param removed blocks of the plan */
export function actionTimes(coppice: Coppice, chosen: Chosen, removed: readonly number[]): ActionTimes {
  const { architecture, subject } = chosen;
  const model = modelOf(chosen);
  const time = (parts: readonly Part[]): string => timeOf(coppice, withStart(model, parts));
  const scoring = scoringOf(coppice, chosen);
  const isScored = coppice.scores.all(subject).some(({ criterion }) => criterion === coppice.config.criterion);
  const written = writing({ model, removed });
  const heal = (tokens: number, writes: boolean): Part[] =>
    healingParts(architecture, { removed, rows: healingRows(architecture, tokens), writes });
  const both = [architecture, withoutLayers(architecture, removed)];
  const compared = time([
    ...perplexityWork(both, rowsOf(coppice, architecture)),
    ...speedWork(both),
    ...textsWork(both, WANTED_SAMPLES),
  ]);
  const writesText = usualHealingText(coppice, subject) === SELF;
  return {
    score: time(scoring),
    // The question starts from scores of any criterion.
    suggest: time(coppice.scores.all(subject).length > 0 ? [] : scoring),
    curve: time([...(isScored ? [] : scoring), ...curveOf(coppice, chosen)]),
    prune: time([written]),
    ...(removed.length > 0 &&
      healable(architecture) && {
        heal: time([...heal(HEAL_TOKENS.normal, writesText), written]),
        ...(writesText && { healOnText: time([...heal(HEAL_TOKENS.normal, false), written]) }),
        healed: time(heal(HEAL_TOKENS.quick, true)),
      }),
    retrain: markedTime(usualTraining(coppice, chosen, removed)),
    merge: time([files(2 * model.bytes)]),
    export: exportEstimate(coppice, chosen, removed),
    compare: compared,
    beforeAfter: compared,
    tasks: tasksOf(coppice, chosen, removed),
    speed: time(speedWork(removed.length > 0 ? both : [architecture])),
    iterate: iterationEstimate(coppice, chosen, { count: usualCount(coppice, chosen), method: 'lora', steps: 50 }),
    versus: versusOf(coppice, chosen, removed),
    text: textEstimate(coppice, chosen, removed),
  };
}

const rowsOf = ({ config }: Coppice, { context }: Architecture): { rows: number; length: number } => ({
  rows: config.calibration.samples,
  length: Math.min(config.calibration.length, context),
});

function scoringOf(coppice: Coppice, { architecture }: Chosen): Part[] {
  const { config, sidecar } = coppice;
  const { kept } = protectionOf(architecture.layers.length, config);
  const scope = { count: Math.max(1, Math.floor(architecture.layers.length / 4)), kept, objective: config.objective };
  return scoringParts(architecture, {
    criterion: config.criterion,
    rows: rowsOf(coppice, architecture),
    scope,
    screens: (sidecar.device?.provider ?? 'cpu') === 'cpu', // only the CPU screens
  });
}

function curveOf(coppice: Coppice, { architecture }: Chosen): Part[] {
  const blocks = architecture.layers.length;
  const { kept } = protectionOf(blocks, coppice.config);
  return nestedParts(architecture, rowsOf(coppice, architecture), Math.min(blocks - kept.size, blocks - 1));
}

/** About a fifth of the model, as the command proposes. */
function usualCount({ config }: Coppice, { architecture }: Chosen): number {
  const blocks = architecture.layers.length;
  const room = blocks - protectionOf(blocks, config).kept.size;
  return Math.max(1, Math.min(Math.round(blocks / 5), room));
}

/** As many records of each task as the command proposes, read by the whole model and by the plan. */
function tasksOf(coppice: Coppice, { architecture }: Chosen, removed: readonly number[]): string {
  const chosen = recall<string>(coppice, 'tasks', 'tasks', '');
  const count = chosen === '' ? TASK_NAMES.length : chosen.split(',').length;
  const limit = recall<number>(coppice, 'tasks', 'limit', USUAL_QUESTIONS) || USUAL_QUESTIONS;
  const tokens = count * limit * TOKENS_PER_ITEM;
  return tasksEstimate(coppice, architecture, tokens, removed.length > 0 ? [[], removed] : [[]]);
}

function versusOf(coppice: Coppice, chosen: Chosen, removed: readonly number[]): string {
  const { architecture } = chosen;
  const blocks = architecture.layers.length;
  const room = Math.max(1, Math.min(blocks - 1, blocks - protectionOf(blocks, coppice.config).kept.size));
  const hasPlan = removed.length > 0;
  return versusEstimate(coppice, chosen, {
    methods: VERSUS_METHODS,
    counts: hasPlan ? [removed.length] : usualCounts(blocks, room),
    plan: hasPlan,
    measured: rowsOf(coppice, architecture),
    speed: { ...QUICK, batches: [1] },
  });
}
