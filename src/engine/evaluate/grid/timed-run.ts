/** One run of a cell, timed: exactly L new tokens of each of M texts, from reading the prompts to the last token. */
import { throwIfCancelled } from '../../errors';
import type { Decoder } from '../../model/decoder';
import type { Model } from '../../model/model';
import { Random } from '../../random';
import { Batch } from '../batch';
import type { Sampling } from '../sample';

export interface TimedRunOptions extends Sampling {
  /** Token ids; a text for each. */
  readonly prompts: readonly (readonly number[])[];
  readonly newTokens: number;
  /** Of the first text; each further one has its own, so that equal prompts go on differently. Greedy without. */
  readonly seed?: number;
}

export interface TimedRun {
  /** Seconds from the call to the last token (T). */
  readonly seconds: number;
  /** Seconds to the first token of every text. */
  readonly firstSeconds: number;
  /** Seconds of each later token of every text; undefined for a single token. */
  readonly laterSeconds?: number;
  /** Seconds that processors worked for this process. */
  readonly cpuSeconds: number;
}

/** @param decoder open, so that loading does not count @throws CancelledError between two tokens */
export async function timedRun(
  model: Model,
  decoder: Decoder,
  { prompts, newTokens, seed, ...sampling }: TimedRunOptions,
  signal?: AbortSignal,
): Promise<TimedRun> {
  const openings = prompts.map((promptIds, text) => ({
    promptIds,
    maxNewTokens: newTokens,
    random: seed === undefined ? undefined : new Random(seed + text),
  }));
  const batch = new Batch(model, decoder, openings, { ...sampling, ignoreEos: true });
  const cpu = process.cpuUsage();
  const start = performance.now();
  let first = NaN;
  for (let step = 0; step < newTokens; step++) {
    throwIfCancelled(signal);
    await batch.next(signal);
    if (step === 0) first = (performance.now() - start) / 1000;
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    seconds,
    firstSeconds: first,
    ...(newTokens > 1 && { laterSeconds: (seconds - first) / (newTokens - 1) }),
    cpuSeconds: (user + system) / 1e6,
  };
}
