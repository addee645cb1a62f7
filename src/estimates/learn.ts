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

/** What runs take that compute is a few rows, and mostly overhead. */
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
    learnOpening(speeds, work, seconds, device);
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

/** What a job took that told how fast it wrote is, for the rest, opening its models. */
function learnOpening(speeds: MachineSpeeds, work: readonly Work[], seconds: number, device: string): void {
  const opened = work.find(({ kind }) => kind === 'opened');
  const left =
    seconds -
    speeds.time(
      work.filter((each) => each !== opened),
      device,
    ).seconds;
  if (opened && left > LEAST_SHARE * seconds) speeds.learn(opened, left, device);
}

/**
 * What the rest of the work leaves of the job's time teaches one speed. The estimate is taken to be wrong about what was never measured
 * here; where that is little, about what takes most of the time.
 */
function learnRest(
  speeds: MachineSpeeds,
  work: readonly Work[],
  { kind, seconds }: Pick<Finished, 'kind' | 'seconds'>,
  device: string,
): void {
  const times = work.map((each) => speeds.timeOf(each, device));
  const total = times.reduce((sum, each) => sum + each.seconds, 0);
  const guessed = times.map((each) => (each.measured ? 0 : each.seconds));
  const most = Math.max(...guessed);
  const wrong =
    most > LEAST_SHARE * total
      ? guessed.indexOf(most)
      : times.reduce((longest, each, at) => (each.seconds > times[longest].seconds ? at : longest), 0);
  if (work[wrong].kind === 'products' && COPYING.includes(kind)) return;
  // A rest that is nearly nothing would make a machine that can do anything.
  const least = (seconds * times[wrong].seconds) / total / 2;
  speeds.learn(work[wrong], Math.max(seconds - (total - times[wrong].seconds), least), device);
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
