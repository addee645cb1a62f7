/** A step's result in a few words: the terminal, the report and the editor say the same. English, like the jobs' pages. */
import type { JsonObject } from '../format/json';
import { formatBytes, formatNumber, formatPercent } from '../format/numbers';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import { isLeast, isOfProbes } from './limits';
import { forProbes, type LimitName } from './recipe';
import type { FinishedStep, PlannedStep, LimitCheck } from './types';

/** "perplexity 45.04, 3,810 tokens, float32 on cpu"; empty where the job has no main number. */
export function resultWords({ job, device, outputs }: FinishedStep, result: JsonObject): string {
  const written = outputs.length === 0 ? '' : formatBytes(outputs.reduce((sum, { bytes }) => sum + bytes, 0));
  const of: AnyJob = JOBS[job];
  return of.about?.(result, { written, device }) ?? '';
}

const UNITS: Readonly<Record<LimitName, (value: number) => string>> = {
  maxPpl: (value) => `perplexity ${formatNumber(value, 5)}`,
  maxKl: (value) => `KL divergence ${formatNumber(value, 4)} nats`,
  minSame: (value) => `${formatPercent(value)} same next tokens`,
  maxRepetition: (value) => `repetition +${formatNumber(100 * value, 3)} points`,
  minAccuracy: (value) => `accuracy ${formatPercent(value)}`,
  ...forProbes((value: number) => `${formatNumber(100 * value, 3)} points lost in a probe`),
  maxBytes: (value) => formatBytes(value),
};

function boundOf(limit: LimitName, most: number): string {
  if (limit === 'maxBytes') return formatBytes(most);
  if (isOfProbes(limit)) return formatNumber(100 * most, 3);
  if (limit === 'maxRepetition') return `+${formatNumber(100 * most, 3)}`;
  return isLeast(limit) ? formatPercent(most) : formatNumber(most, 5);
}

/** "perplexity 45.04, at most 60" */
export function verdictWords({ limit, most, measured }: LimitCheck): string {
  const bound = isLeast(limit) ? 'at least' : 'at most';
  const [, probe] = limit.split('.');
  const words = UNITS[limit](measured).replace('a probe', probe === undefined ? 'a probe' : `the probe ${probe}`);
  return `${words}, ${bound} ${boundOf(limit, most)}`;
}

/** "done", "runs: its options or inputs changed", "not asked for" */
export function planWords({ state, why }: PlannedStep): string {
  if (state === 'done') return 'done';
  return state === 'waits' ? 'not asked for' : `runs${why === undefined ? '' : `: ${why}`}`;
}
