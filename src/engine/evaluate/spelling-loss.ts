/** What the spelling of a smaller vocabulary costs: bits per byte of the same text, under the original and with the kept tokens alone. */
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { JobOptions } from '../progress';
import { inPhases } from '../progress';
import { bitsPerByte } from './bits-per-byte';
import { keptMass } from './kept-mass';

/** A text that two vocabularies spell. Ids are those of the original. */
export interface Spelled {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Of the text, in UTF-8. */
  readonly bytes: number;
}

export interface SpellingLoss {
  readonly bitsPerByte: { readonly before: number; readonly after: number };
  /** Mean probability that the original puts outside the kept tokens, on its own spelling. */
  readonly outsideMass: number;
  /** Tokens that were predicted, of each spelling. */
  readonly tokens: { readonly before: number; readonly after: number };
}

/** Tokens of a window, as everywhere. */
export const SPELLING_WINDOW = 128;

/**
 * The same text under the original and with the kept tokens alone. The mean loss of a token, over windows, times the tokens of a byte: the
 * first token of each window, which has none before it, counts as the mean of the others.
 * @param model the original
 * @param kept ids, ascending
 * @param prefix tokens that stand before each window, and are not predicted
 * @throws CancelledError
 */
export async function spellingLoss(
  model: Model,
  { before, after, bytes }: Spelled,
  kept: readonly number[],
  prefix: readonly number[],
  job: JobOptions,
): Promise<SpellingLoss> {
  const [first, second] = inPhases(job, [{ share: before.length }, { share: after.length }]);
  const old = await keptMass(model, windowsOf(before, prefix), kept, first);
  const now = await keptMass(model, windowsOf(after, prefix), kept, second);
  const outside = old.logKept.map((log) => 1 - Math.exp(Math.min(0, log)));
  const trimmed = now.losses.map((loss, i) => loss + now.logKept[i]);
  return {
    bitsPerByte: {
      before: bitsPerByte(mean(old.losses), { tokens: before.length, bytes }),
      after: bitsPerByte(mean(trimmed), { tokens: after.length, bytes }),
    },
    outsideMass: mean(outside),
    tokens: { before: old.losses.length, after: now.losses.length },
  };
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Whole windows; one that is shorter where the text is. */
function windowsOf(ids: readonly number[], prefix: readonly number[]): TokenRows {
  const size = Math.min(SPELLING_WINDOW - prefix.length, ids.length);
  const windows = Math.max(1, Math.floor(ids.length / size));
  return Array.from({ length: windows }, (_, w) => [...prefix, ...ids.slice(w * size, (w + 1) * size)]);
}
