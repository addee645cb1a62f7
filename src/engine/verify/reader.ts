/** What a verification asks of a model, whatever file it is in: logits of rows of tokens, and a greedy continuation. */
import type { JobOptions } from '../progress';

/** A continuation's job, which says at which word it is. */
export function inWords({ signal, onProgress }: JobOptions, name: string, count: number): JobOptions {
  const tell = (done: number): void => {
    const label = `${name}, word ${Math.min(done + 1, count)} of ${count}`;
    onProgress?.({ label, done, total: count, unit: 'tokens' });
  };
  tell(0);
  return { signal, onProgress: ({ done }) => tell(done) };
}

export interface ModelReader {
  /**
   * Logits of every position, one row after another.
   * @param rows tokens, all of one length
   * @returns (rows · length) arrays of (vocabulary)
   */
  logits(rows: readonly (readonly number[])[], job: JobOptions): Promise<Float32Array[]>;
  /** The `count` most likely tokens in turn after a prompt; a token that ends texts does not end it. */
  greedy(prompt: readonly number[], count: number, job: JobOptions): Promise<number[]>;
}
