/** `coppice status`: how far a run on a cluster is. Submits again what failed, where asked to. */
import { relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { schedulerOf } from '../../cluster/schedulers';
import { type ClusterStatus, type PartStatus, STATES, statusOf } from '../../cluster/status';
import type { Consent, Started } from '../../cluster/consent';
import { type Resubmitted, resubmitFailed } from '../../cluster/submit';
import { throwIfCancelled } from '../../engine/errors';
import { numberRanges } from '../../format/ranges';
import { counted } from '../../format/words';
import { isRecipeRun } from '../../recipes/cluster/recipe-run';
import type { Outcome, Shell } from '../execute';
import { UsageError } from '../failure';
import type { CommonOptions } from '../options';
import { agrees } from '../terminal/consent';
import { facts, table } from '../terminal/text';
import { recipeStatus } from './recipe-status';

export interface StatusOptions extends CommonOptions {
  readonly resubmit?: true;
  readonly wait?: true;
  readonly yes?: true;
}

export async function status(folder: string, options: StatusOptions, shell: Shell): Promise<Outcome> {
  const { resubmit, wait } = options;
  const consent: Consent = (started) => agreesTo(started, options, shell);
  if (await isRecipeRun(folder)) return recipeStatus(folder, options, consent, shell);
  const again = resubmit ? await resubmitFailed(folder, consent) : undefined;
  const found = wait ? await atTheEnd(folder, shell) : await statusOf(folder);
  return {
    json: { ...found, ...(again && { resubmitted: again }) },
    page: [...(again ? [againWords(again), ''] : []), ...pageOf(found, shell)],
    failed: found.counts.failed > 0 || found.gather.state === 'failed',
  };
}

/** @throws UsageError without a terminal; CancelledError */
async function agreesTo(started: Started, { yes, json }: StatusOptions, shell: Shell): Promise<boolean> {
  shell.print('You did not submit this on this machine, or it was changed since. It would start:', '');
  shell.print(...startedLines(started).map((line) => shell.shown(line)), '');
  if (yes) return true;
  const why = 'what the folder would start is not what you submitted on this machine';
  const way = 'Read it, and add --yes if it is to run with your rights.';
  const refusal = new UsageError('The parts were not submitted again', why, way);
  return agrees('Start it with your rights?', refusal, { json: json === true, signal: shell.job.signal });
}

const startedLines = ({ command, asked, scripts }: Started): string[] => [
  `command  ${command}`,
  ...(asked.length > 0 ? [`options  ${asked.join(' ')}`] : []),
  ...scripts.flatMap(({ file, text }) => [
    '',
    `${file}:`,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  ]),
];

const POLL_MS = 2000;

async function atTheEnd(folder: string, { job }: Shell): Promise<ClusterStatus> {
  for (;;) {
    throwIfCancelled(job.signal);
    const found = await statusOf(folder);
    if (isOver(found)) return found;
    const { counts, parts, progress: done } = found;
    job.onProgress?.({
      label: `${counts.done} of ${counted(parts.length, 'part')} done`,
      done,
      total: 1,
      unit: 'share',
    });
    await pause(POLL_MS, undefined, { signal: job.signal }).catch(() => undefined);
  }
}

/** Whether nothing more comes of itself. */
function isOver({ record, counts, gather, scheduler }: ClusterStatus): boolean {
  if (record !== null || gather.state === 'failed') return true;
  if (counts.running > 0 || counts.waiting > 0) return false;
  // Without a scheduler, the user gathers.
  return counts.failed > 0 || !scheduler?.asked || scheduler.submissions.length === 0;
}

const againWords = ({ parts, submission }: Resubmitted): string => {
  if (!submission) return 'There is nothing to submit again.';
  const what = parts.length > 0 ? `${parts.length === 1 ? 'part' : 'parts'} ${numberRanges(parts)}` : 'the gather';
  return `Submitted again: ${what}.`;
};

function pageOf(found: ClusterStatus, { shown, style }: Shell): string[] {
  const { kind, parts, counts, record, scheduler, progress } = found;
  const short = (path: string): string => shown(relative(process.cwd(), path) || '.');
  const numbers = STATES.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  const lines = facts([
    ['run', `${kind} in ${counted(parts.length, 'part')}`],
    ['parts', `${numbers.join(', ')} (${Math.floor(progress * 100)} %)`],
    ['gather', gatherWords(found)],
    ['record', record === null ? 'not there yet' : short(record)],
    ...(scheduler === null ? [] : [[scheduler.name, schedulerWords(scheduler)] as [string, string]]),
  ]);
  const running = parts.filter(({ state }) => state === 'running');
  const failed = groups(parts);
  const next = nextStep(found, short);
  return [
    ...lines.map(shown),
    ...(running.length > 0 ? ['', ...runningTable(running).map(shown)] : []),
    ...(failed.length > 0 ? ['', ...table(['failed', 'why'], failed).map((line) => style.red(shown(line)))] : []),
    ...(next === undefined ? [] : ['', next]),
  ];
}

const gatherWords = ({ gather: { state, error } }: ClusterStatus): string =>
  error === undefined ? state : `${state}: ${error}`;

function schedulerWords({ asked, submissions, name }: NonNullable<ClusterStatus['scheduler']>): string {
  if (schedulerOf(name).launch) return 'launched by you, so this is what the folder tells';
  const ids = submissions.flatMap(({ id, gather }) => [id, ...(gather === undefined || gather === id ? [] : [gather])]);
  const jobs = ids.length === 0 ? 'nothing is submitted' : `${ids.length === 1 ? 'job' : 'jobs'} ${ids.join(', ')}`;
  return asked ? jobs : `${jobs}; it cannot be asked from here, so this is what the folder tells`;
}

/** Of many, those that are least far. */
const MOST_RUNNING = 20;

function runningTable(running: readonly PartStatus[]): string[] {
  const share = ({ progress }: PartStatus): number => progress?.share ?? 0;
  const least = [...running].sort((a, b) => share(a) - share(b)).slice(0, MOST_RUNNING);
  const rows = least.map((part) => [
    String(part.number),
    part.host ?? '',
    part.progress ? `${Math.floor(share(part) * 100)} %` : '',
    part.progress?.label ?? '',
  ]);
  const more = running.length - least.length;
  return [...table(['running', 'on', '>done', 'step'], rows), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** Parts that failed for one reason, in one row. */
function groups(parts: readonly PartStatus[]): string[][] {
  const by = new Map<string, number[]>();
  for (const { number, state, error = '' } of parts)
    if (state === 'failed') by.set(error, [...(by.get(error) ?? []), number]);
  return [...by].map(([error, numbers]) => [numberRanges(numbers), error]);
}

function nextStep(
  { folder, counts, record, scheduler, gather, parts }: ClusterStatus,
  short: (path: string) => string,
): string | undefined {
  const again = `\`coppice status ${short(folder)} --resubmit\``;
  const byHand = !scheduler?.asked;
  const launch = scheduler && schedulerOf(scheduler.name).launch?.(short(folder));
  if (launch !== undefined) return record === null ? `\`${launch}\` computes the parts that are not there.` : undefined;
  if (counts.failed > 0) return byHand ? undefined : `${again} submits what failed again.`;
  if (record !== null) return undefined;
  if (scheduler?.submissions.length === 0) return `${again} submits it.`;
  if (gather.state === 'failed') return `${again} gathers again.`;
  if (counts.done < parts.length || !byHand) return undefined;
  return 'All parts are there: `coppice gather` makes their record.';
}
