/**
 * Learns what this machine does in a second from finished jobs: the only rule, for the terminal and the editor. The process
 * that ran a job learns from it.
 */
import { withoutLayers } from '../engine/checkpoint/architecture';
import { systemErrorCode, UserError } from '../engine/errors';
import { isObject, type JsonObject } from '../format/json';
import { numberIn } from '../jobs/amounts';
import { optionsIn } from '../jobs/complete';
import { NO_HEALING } from '../jobs/heals-first';
import type { JobRunner } from '../jobs/runner';
import type { JobKind, JobOutcome } from '../protocol/jobs';
import { type AskedJob, workOf } from './job';
import type { MachineSpeeds } from './machine';
import { columnsIn, type Models, openModels } from './models';
import { decoding, merged, type Work } from './work';

/** A job that ran to its end. */
export interface Finished extends AskedJob {
  readonly result: unknown;
  /** From its start to its end, opening the model included. */
  readonly seconds: number;
  /** What computed; null for nothing. */
  readonly provider?: string | null;
}

/** Learns from a job, and keeps it. A job on other machines must not come here: they have other speeds. */
export async function learnFrom(speeds: MachineSpeeds, finished: Finished): Promise<void> {
  try {
    learn(speeds, finished, await openModels(finished.options));
    await speeds.save();
  } catch (error) {
    // A file that is gone by now is no failure of the job.
    if (!(error instanceof UserError) && systemErrorCode(error) === undefined) throw error;
  }
}

/** Runs jobs, and learns from each. */
export function learning(run: JobRunner, speeds: MachineSpeeds): JobRunner {
  return async <K extends JobKind>(...[spec, options]: Parameters<typeof run<K>>): Promise<JobOutcome<K>> => {
    const start = performance.now();
    const outcome = await run<K>(spec, options);
    await learnFrom(speeds, finishedOf(spec, outcome, (performance.now() - start) / 1000));
    return outcome;
  };
}

export const finishedOf = (spec: { readonly kind: JobKind }, outcome: JobOutcome, seconds: number): Finished => ({
  ...{ kind: spec.kind, options: optionsIn(spec) as JsonObject, seconds },
  ...{ result: outcome.result, provider: outcome.device?.provider ?? null },
});

/** What they compute is a few rows, and mostly overhead: it teaches no speed. */
const COPYING: readonly JobKind[] = ['export', 'verify', 'merge'];

/** What these read is reckoned by sizes of files, not counted: speeds that follow from it would be wrong for other jobs. */
const RECKONED: readonly JobKind[] = ['tasks'];

/** Writes nothing: `save` does. */
export function learn(speeds: MachineSpeeds, finished: Finished, models: Models): void {
  const { kind, seconds, provider } = finished;
  const result = isObject(finished.result) ? finished.result : {};
  const device = provider ?? 'cpu';
  if (RECKONED.includes(kind) || isUnusual(finished.options, result)) return;
  const rates = decodedInSecond(finished, result, models);
  for (const each of rates) speeds.learn(each, 1, device);
  const all = workOf({ kind, options: asItWas(finished, result) }, models);
  if (all === undefined) return;
  const work = merged(all);
  if (rates.length > 0) {
    learnRest(speeds, work, { kind, seconds }, device, 'decode');
    return;
  }
  const known = partsIn(result);
  const healed = kind === 'retrain' && isObject(result.healing) ? numberIn(result.healing, 'seconds') : undefined;
  if (healed !== undefined) {
    // The training is what the healing before it left of the time.
    const options = { ...finished.options, heal: NO_HEALING };
    learn(
      speeds,
      { ...finished, options, result: { ...result, healing: undefined }, seconds: seconds - healed },
      models,
    );
  }
  for (const each of work) {
    const own = each.kind === 'products' ? known.find((part) => part.work === each.work) : undefined;
    if (own) speeds.learn(each, own.seconds, device);
  }
  if (known.length === 0) learnRest(speeds, work, { kind, seconds }, device);
}

/** A smaller share of a job's time may as well be an error of the rest. */
const LEAST_SHARE = 0.2;
/** Of so small a part the time of a job tells nothing. */
const LEAST_PART = 0.05;

/**
 * What was known before leaves some of the job's time for the rest. The estimate is taken to be wrong about what was never measured
 * here, by the same factor; where that is little, about what takes most of the time.
 * @param told a part whose speed the job has told: where it takes nearly all of the time, the rest may as well be an error of it
 */
function learnRest(
  speeds: MachineSpeeds,
  work: readonly Work[],
  { kind, seconds }: Pick<Finished, 'kind' | 'seconds'>,
  device: string,
  told?: Work['kind'],
): void {
  const parts = work.map((each) => ({ work: each, ...speeds.timeOf(each, device) }));
  const sum = (some: typeof parts): number => some.reduce((total, each) => total + each.seconds, 0);
  const total = sum(parts);
  const isOpen = (part: Work): boolean =>
    part.kind !== told &&
    part.kind !== 'seconds' &&
    !(COPYING.includes(kind) && (part.kind === 'products' || part.kind === 'decode'));
  const open = parts.filter((each) => isOpen(each.work));
  const guessed = open.filter((each) => !each.measured && each.seconds > LEAST_PART * total);
  const longest = open.reduce((most, each) => (each.seconds > most.seconds ? each : most));
  const wrong = sum(guessed) > LEAST_SHARE * total ? guessed : [longest];
  const rest = seconds - (total - sum(wrong));
  if (told !== undefined && rest < LEAST_SHARE * seconds) return;
  // A rest that is nearly nothing would make a machine that can do anything.
  const least = (seconds * sum(wrong)) / total / 2;
  const factor = Math.max(rest, least) / sum(wrong);
  for (const each of wrong) speeds.learn(each.work, factor * each.seconds, device, seconds);
}

/** Its speed is no other job's: a part was done before, or the precision was asked for once. */
function isUnusual({ resume }: JsonObject, { precision }: JsonObject): boolean {
  return resume === true || (precision !== undefined && precision !== 'float32' && precision !== 'mixed');
}

/** The options with what the run decided. */
function asItWas({ kind, options }: AskedJob, { steps, screen, removed, rounds }: JsonObject): JsonObject {
  const isByModule = options.granularity === 'module'; // it has taken as much as was asked for
  const gone = kind === 'iterate' ? rounds : kind === 'prune' && !isByModule ? removed : undefined;
  return {
    ...options,
    ...(typeof steps === 'number' && { steps }),
    ...(isObject(screen) && { exact: screen.exact }),
    ...(Array.isArray(gone) && { count: gone.length }),
  };
}

/** Parts of a healing that it timed: a text that was there took no time. */
function partsIn(result: JsonObject): { readonly work: string; readonly seconds: number }[] {
  const healed = isObject(result.healing) ? result.healing : result;
  const [seconds, writing] = [numberIn(healed, 'seconds'), numberIn(healed, 'writingSeconds')];
  if (seconds === undefined || writing === undefined) return [];
  return [
    ...(healed.ridge === 'auto' ? [] : [{ work: 'heal', seconds: seconds - writing }]),
    ...(writing > 1 ? [{ work: 'write', seconds: writing }] : []),
  ];
}

/** What each model of the job decoded in one second, in float32. */
function decodedInSecond({ kind, options }: Finished, result: JsonObject, models: Models): Work[] {
  const measured = kind === 'speeds' ? result.models : kind === 'generate' || kind === 'bench' ? [result] : [];
  if (!Array.isArray(measured)) return [];
  return (measured as readonly unknown[]).filter(isObject).flatMap((each, at): Work[] => {
    const tokens = numberIn(each, 'decodeTokensPerSecond');
    const whole = models.at(columnsIn(options.columns)[at]?.checkpoint ?? options.checkpoint)?.architecture;
    const removed: readonly unknown[] = Array.isArray(each.removed) ? each.removed : [];
    const blocks = removed.filter((entry) => typeof entry === 'number');
    if (!whole || tokens === undefined || !(tokens > 0) || blocks.length < removed.length) return [];
    return [decoding(withoutLayers(whole, blocks), tokens)];
  });
}
