/** What a verification asks of a model, whatever file it is in: logits of rows of tokens, and a greedy continuation. */
import type { JobOptions } from '../progress';
import { argMax } from './compare';

/** A continuation's job, which says at which word it is. */
export function inWords({ signal, onProgress }: JobOptions, name: string, count: number): JobOptions {
  const tell = (done: number): void => {
    const label = `${name}, word ${Math.min(done + 1, count)} of ${count}`;
    onProgress?.({ label, done, total: count, unit: 'tokens' });
  };
  tell(0);
  return { signal, onProgress: ({ done }) => tell(done) };
}

/** A greedy continuation. */
export interface Continued {
  readonly ids: readonly number[];
  /** The lead of each token over the second best, where it was chosen. */
  readonly margins: readonly number[];
}

export interface ModelReader {
  /**
   * Logits of every position, one row after another.
   * @param rows tokens, all of one length
   * @returns (rows · length) arrays of (vocabulary)
   */
  logits(rows: readonly (readonly number[])[], job: JobOptions): Promise<Float32Array[]>;
  /** The `count` most likely tokens in turn after a prompt; a token that ends texts does not end it. */
  greedy(prompt: readonly number[], count: number, job: JobOptions): Promise<Continued>;
}

/**
 * Chooses the most likely token in turn.
 * @param next logits of what follows the tokens, (vocabulary); given the prompt first, and then each chosen token
 * @param chosen told how many tokens there are
 */
export async function continueGreedily(
  prompt: readonly number[],
  count: number,
  next: (ids: readonly number[]) => Promise<Float32Array>,
  chosen: (tokens: number) => void,
): Promise<Continued> {
  const ids: number[] = [];
  const margins: number[] = [];
  while (ids.length < count) {
    const logits = await next(ids.length === 0 ? prompt : ids.slice(-1));
    const id = argMax(logits);
    ids.push(id);
    margins.push(leadOf(logits, id));
    chosen(ids.length);
  }
  return { ids, margins };
}

/** How far a token is ahead of all others. */
const leadOf = (logits: Float32Array, id: number): number =>
  logits.reduce((least, value, i) => (i === id ? least : Math.min(least, logits[id] - value)), Infinity);
