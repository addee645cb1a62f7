/**
 * Evaluation windows: how a token stream is cut for perplexity, as in Shortened LLaMA's `src/eval_ppl.py` and
 * `src/dataset.py`. Windows do not overlap, the remainder is dropped, and every token of a row except the first is
 * scored.
 */
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { option, type OptionName } from '../option-token';
import type { Beginning } from '../tokenizer/bos';

export interface WindowOptions {
  /** Tokens per window, without the BOS of mode B. The paper uses 128. */
  readonly window: number;
  /** Once before the whole stream is mode A, the paper's tables; before each window, in addition to its tokens, mode B. */
  readonly beginning: Beginning;
  /** Maximum number of windows, from the start. */
  readonly limit?: number;
}

export interface EvaluationWindows {
  /** Rows of equal length: `window`, and one more with BOS before each. */
  readonly rows: readonly Int32Array[];
  /** Tokens scored in each row: its length − 1. */
  readonly scoredPerWindow: number;
}

/**
 * Cuts `ids`, encoded without special tokens, into rows to evaluate. N tokens give floor((N + 1) / window) rows with
 * BOS before the stream, floor(N / window) otherwise. Throws `UserError` when there is not one whole window, or an option is
 * out of range.
 */
export function evaluationWindows(ids: ArrayLike<number>, options: WindowOptions): EvaluationWindows {
  const { window, beginning, limit = Infinity } = options;
  const { mode: bos } = beginning;
  checkCount('window', window, 2);
  if (limit !== Infinity) checkCount('limit', limit, 1);
  const prefix = beginning.id === undefined ? [] : [beginning.id];
  const before = bos === 'stream' ? 1 : 0;
  const available = Math.floor((ids.length + before) / window);
  if (available === 0) {
    throw new UserError(
      `The text is too short for a window of ${counted(window, 'token')}`,
      `it has ${counted(ids.length + before, 'token')}`,
      `Give a longer text or a smaller ${option('window')}.`,
    );
  }
  const rows = Array.from({ length: Math.min(available, limit) }, (_, w) => {
    const row = new Int32Array(bos === 'window' ? window + 1 : window);
    const ahead = bos === 'window' || (bos === 'stream' && w === 0) ? prefix : [];
    row.set(ahead);
    const first = w * window - (w === 0 ? 0 : before);
    for (let i = ahead.length; i < row.length; i++) row[i] = ids[first + i - ahead.length];
    return row;
  });
  return { rows, scoredPerWindow: rows[0].length - 1 };
}

function checkCount(name: OptionName, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new UserError(
    `Cannot use ${option(name, value)}`,
    `it is not an integer of at least ${least}`,
    `Change ${option(name)}.`,
  );
}
