/** A batch of rows, and its cut into micro-batches: rows of similar length, padded on the right. */
import { NO_TARGET } from '../../model/targets';
import type { Example } from '../data/example';

/** Rows with the next token of every position, or NO_TARGET. The loss is one mean over all targets. */
export interface Batch {
  readonly rows: readonly ArrayLike<number>[];
  /** For each row, as long as the row. */
  readonly targets: readonly ArrayLike<number>[];
}

export interface MicroBatch {
  /** Tokens, row after row, all of `length`. */
  readonly ids: readonly number[];
  readonly targets: Int32Array;
  readonly length: number;
  /** The indices of these rows in the batch. */
  readonly rows: readonly number[];
}

/** Padded lengths are multiples of this, so that few shapes occur. */
const LENGTH_MULTIPLE = 8;
/** The padding token. Causal attention never reads later tokens, so any token will do. */
const PAD = 0;

/** Rows with targets from the labels: the target at position i is the label of token i + 1. */
export function toBatch(examples: readonly Example[]): Batch {
  return {
    rows: examples.map((e) => e.ids),
    targets: examples.map(({ labels }) =>
      Int32Array.from(labels, (_, i) => (i + 1 < labels.length ? labels[i + 1] : NO_TARGET)),
    ),
  };
}

/** Tokens of some rows, without padding. */
export function countTokens(rows: Batch['rows']): number {
  return rows.reduce((sum, row) => sum + row.length, 0);
}

/** Stands for all lengths of a row that a model computes alike (model/rotary.ts, `lengthClass`). */
export type ClassOf = (length: number) => unknown;

const ONE_CLASS: ClassOf = () => undefined;

/**
 * Cuts a batch into micro-batches of about `tokens` tokens, at least one row each. Rows are sorted by length, so that
 * there is little padding. Rows of different classes never meet, and none is padded into another class: where rotations
 * depend on the length, each row is computed as if it were alone.
 */
export function microBatches({ rows, targets }: Batch, tokens: number, classOf = ONE_CLASS): MicroBatch[] {
  const padded = rows.map(({ length }) => paddedLength(length, classOf));
  const order = [...rows.keys()].sort((a, b) => padded[b] - padded[a] || a - b);
  const result: MicroBatch[] = [];
  while (order.length > 0) {
    const length = padded[order[0]];
    const others = order.findIndex((row) => classOf(padded[row]) !== classOf(length));
    const alike = others === -1 ? order.length : others;
    const some = order.splice(0, Math.min(alike, Math.max(1, Math.floor(tokens / length))));
    const ids = new Array<number>(some.length * length).fill(PAD);
    const next = new Int32Array(some.length * length).fill(NO_TARGET);
    some.forEach((r, place) => {
      for (let i = 0; i < rows[r].length; i++) {
        ids[place * length + i] = rows[r][i];
        next[place * length + i] = targets[r][i];
      }
    });
    result.push({ ids, targets: next, length, rows: some });
  }
  return result;
}

function paddedLength(length: number, classOf: ClassOf): number {
  const padded = Math.ceil(length / LENGTH_MULTIPLE) * LENGTH_MULTIPLE;
  return classOf(padded) === classOf(length) ? padded : length;
}
