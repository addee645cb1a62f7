/** `coppice status` of a recipe on a cluster: each step with its parts. Submits again what failed, where asked to. */
import { relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { STATES } from '../../cluster/status';
import type { Consent } from '../../cluster/consent';
import { throwIfCancelled } from '../../engine/errors';
import { counted } from '../../format/words';
import { lookAtRecipe, type RecipeStatus, type StepStatus } from '../../recipes/cluster/status';
import { type ResubmittedRecipe, resubmitRecipe } from '../../recipes/cluster/submit';
import type { Outcome, Shell } from '../execute';
import { facts, table } from '../terminal/text';

interface Asked {
  readonly resubmit?: true;
  readonly wait?: true;
}

export async function recipeStatus(
  folder: string,
  { resubmit, wait }: Asked,
  consent: Consent,
  shell: Shell,
): Promise<Outcome> {
  const again = resubmit ? await resubmitRecipe(folder, consent) : undefined;
  const found = wait ? await atTheEnd(folder, shell) : (await lookAtRecipe(folder)).status;
  return {
    json: { ...found, ...(again && { resubmitted: again }) },
    page: [...(again ? [againWords(again), ''] : []), ...pageOf(found, shell)],
    failed: found.counts.failed > 0 || found.report?.state === 'failed',
  };
}

const POLL_MS = 2000;

async function atTheEnd(folder: string, { job }: Shell): Promise<RecipeStatus> {
  for (;;) {
    throwIfCancelled(job.signal);
    const { status: found } = await lookAtRecipe(folder);
    if (isOver(found)) return found;
    const { counts, steps } = found;
    job.onProgress?.({
      label: `${counts.done} of ${counted(steps.length, 'step')} done`,
      done: steps.reduce((sum, step) => sum + (step.state === 'done' ? 1 : (step.inParts?.progress ?? 0)), 0),
      total: steps.length,
      unit: 'share',
    });
    await pause(POLL_MS, undefined, { signal: job.signal }).catch(() => undefined);
  }
}

/** Whether nothing more comes of itself. */
function isOver({ counts, steps, report, scheduler }: RecipeStatus): boolean {
  if (scheduler.jobs.length === 0) return true;
  if (counts.running > 0 || counts.waiting > 0) return false;
  if (counts.done < steps.length || !scheduler.asked) return true;
  return report === null || report.state === 'done' || report.state === 'failed';
}

const againWords = ({ steps, submissions }: ResubmittedRecipe): string =>
  submissions.length === 0
    ? 'There is nothing to submit again.'
    : `Submitted again: ${steps.length === 0 ? 'the report' : steps.join(', ')}.`;

function pageOf(found: RecipeStatus, { shown, style }: Shell): string[] {
  const { recipe, folder, steps, counts, report, scheduler } = found;
  const short = (path: string): string => shown(relative(process.cwd(), path) || '.');
  const numbers = STATES.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  const rows = steps.map((step) => [step.name, step.job, step.state, partsWords(step), noteOf(step)]);
  const lines = table(['step', 'job', 'state', 'parts', ''], rows).map(shown);
  const next = nextStep(found, short(folder));
  return [
    ...facts([
      ['recipe', short(recipe)],
      ['steps', numbers.join(', ')],
      ...(report === null
        ? []
        : [
            ['report', report.error === undefined ? report.state : `${report.state}: ${report.error}`] as [
              string,
              string,
            ],
          ]),
      [scheduler.name, schedulerWords(scheduler)],
    ]).map(shown),
    '',
    ...lines.map((line, i) => (steps[i - 1]?.state === 'failed' ? style.red(line) : line)),
    ...(next === undefined ? [] : ['', next]),
  ];
}

function schedulerWords({ jobs, asked }: RecipeStatus['scheduler']): string {
  if (jobs.length === 0) return 'nothing is submitted';
  const words = `${jobs.length === 1 ? 'job' : 'jobs'} ${jobs.join(', ')}`;
  return asked ? words : `${words}; it cannot be asked from here, so this is what the folder tells`;
}

/** "3 of 8 done, 2 running (45 %)" */
function partsWords({ inParts }: StepStatus): string {
  if (!inParts) return '';
  const { counts, parts, progress } = inParts;
  const others = (['running', 'failed'] as const).filter((state) => counts[state] > 0);
  const told = others.map((state) => `, ${counts[state]} ${state}`).join('');
  return `${counts.done} of ${parts.length} done${told} (${Math.floor(progress * 100)} %)`;
}

const noteOf = ({ error, before, host }: StepStatus): string => error ?? (before ? 'before' : host ? `on ${host}` : '');

function nextStep({ counts, steps, report, scheduler }: RecipeStatus, folder: string): string | undefined {
  const again = `\`coppice status ${folder} --resubmit\``;
  if (scheduler.jobs.length === 0 && counts.done < steps.length) return `${again} submits it.`;
  if (!scheduler.asked) return undefined;
  if (counts.failed > 0) return `${again} submits what failed again, with what follows.`;
  return report?.state === 'failed' ? `${again} writes the report again.` : undefined;
}
