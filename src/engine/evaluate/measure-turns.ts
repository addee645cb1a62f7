/**
 * Comparable speeds of several models. Each is warmed up first, and then they take turns, so that other load on the
 * machine slows all of them equally.
 */
import type { JobOptions } from '../progress';
import type { Model } from '../model/model';
import type { View } from '../model/view';
import { generate } from './generate';
import { median } from '../median';
import { promptOf } from './measure';

export interface TurnOptions {
  /** Length of the prompt, and tokens to decode after it. */
  readonly promptTokens: number;
  readonly newTokens: number;
  /** Measured turns of each model. */
  readonly repeats: number;
  readonly seed: number;
}

/** Statistics over the turns. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface TurnSpeeds {
  /** Tokens a second. */
  readonly prefill: Spread;
  readonly decode: Spread;
  /** Seconds. */
  readonly timeToFirstToken: Spread;
}

/**
 * Lengths that fit the context of every model. If the requested ones do not fit, two thirds of the context are for the
 * prompt.
 */
export function fittingLengths(
  models: readonly Model[],
  { promptTokens, newTokens }: Pick<TurnOptions, 'promptTokens' | 'newTokens'>,
): { promptTokens: number; newTokens: number } {
  const context = Math.min(...models.map(({ architecture }) => architecture.context));
  if (promptTokens + newTokens <= context) return { promptTokens, newTokens };
  const written = Math.max(1, Math.min(newTokens, Math.floor(context / 3)));
  return { promptTokens: Math.min(promptTokens, context - written), newTokens: written };
}

/**
 * @returns the speeds of each model, in the given order
 * @throws UserError when prompt and new tokens do not fit into a context, CancelledError
 */
export async function measureInTurns(
  models: readonly { readonly model: Model; readonly view: View }[],
  { promptTokens, newTokens, repeats, seed }: TurnOptions,
  job: JobOptions = {},
): Promise<TurnSpeeds[]> {
  const turns = models.map((): Awaited<ReturnType<typeof generate>>[] => []);
  const total = models.length * (repeats + 1);
  let done = 0;
  for (let round = 0; round <= repeats; round++) {
    for (const [i, { model, view }] of models.entries()) {
      job.onProgress?.({ label: round === 0 ? 'warming up' : 'measuring', done: done++, total, unit: 'runs' });
      const prompt = promptOf(model, promptTokens, seed);
      const settings = { maxNewTokens: newTokens, greedy: true, ignoreEos: true, view } as const;
      const run = await generate(model, prompt, settings, { signal: job.signal });
      if (round > 0) turns[i].push(run);
    }
  }
  job.onProgress?.({ label: 'measuring', done: total, total, unit: 'runs' });
  return turns.map((runs) => ({
    prefill: spreadOf(runs.map((run) => run.prefillTokensPerSecond)),
    decode: spreadOf(runs.map((run) => run.decodeTokensPerSecond)),
    timeToFirstToken: spreadOf(runs.map((run) => run.timeToFirstToken)),
  }));
}

const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  low: Math.min(...values),
  high: Math.max(...values),
});
