/**
 * Evaluation windows: how a token stream is cut for perplexity, as in Shortened LLaMA's `src/eval_ppl.py` and
 * `src/dataset.py`. Windows do not overlap, the remainder is dropped, and every token of a row except the first is
 * scored.
 */
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { option, type OptionName, set } from '../option-token';

/**
 * Where the begin-of-sequence token is put: once before the whole stream (mode A, the paper's tables), before each
 * window in addition to its tokens (mode B), or nowhere.
 */
export type BosMode = 'stream' | 'window' | 'none';

export interface WindowOptions {
  /** Tokens per window, without the BOS of mode B. The paper uses 128. */
  readonly window: number;
  readonly bos: BosMode;
  /** `bos_token_id` of the model's config. Needed unless `bos` is 'none', even if encoding adds no BOS. */
  readonly bosTokenId?: number;
  /** Maximum number of windows, from the start. */
  readonly limit?: number;
}

export interface EvaluationWindows {
  /** Rows of equal length: `window`, and one more with `bos: 'window'`. */
  readonly rows: readonly Int32Array[];
  /** Tokens scored in each row: its length − 1. */
  readonly scoredPerWindow: number;
}

/**
 * Cuts `ids`, encoded without special tokens, into rows to evaluate. N tokens give floor((N + 1) / window) rows with
 * `bos: 'stream'`, floor(N / window) otherwise. Throws `UserError` when there is not one whole window, no BOS id where
 * one is needed, or an option is out of range.
 */
export function evaluationWindows(ids: ArrayLike<number>, options: WindowOptions): EvaluationWindows {
  const { window, bos, limit = Infinity } = options;
  checkCount('window', window, 2);
  if (limit !== Infinity) checkCount('limit', limit, 1);
  const prefix = bos === 'none' ? [] : [bosOf(options)];
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

function bosOf({ bos, bosTokenId }: WindowOptions): number {
  if (bosTokenId !== undefined) return bosTokenId;
  throw new UserError(
    `Cannot evaluate with ${option('bos', bos)}`,
    'the model’s config.json has no "bos_token_id"',
    `${set('bos', 'none')}.`,
  );
}

function checkCount(name: OptionName, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new UserError(
    `Cannot use ${option(name, value)}`,
    `it is not an integer of at least ${least}`,
    `Change ${option(name)}.`,
  );
}
