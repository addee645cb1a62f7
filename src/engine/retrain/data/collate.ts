/**
 * Examples of unequal length side by side. They are padded on the right: behind a causal mask no token sees what comes
 * after it, so padding needs no mask of its own, and without targets it adds nothing to the loss.
 */
import { type Example, NO_LABEL } from './example';

export interface Batch {
  /** Token ids, every row of `length`. */
  readonly rows: Int32Array[];
  /** For each token the id that follows it, or −1 where the loss asks for nothing; every row of `length`. */
  readonly targets: Int32Array[];
  readonly length: number;
  /** Targets of the whole batch: what its loss is the mean over. */
  readonly targetCount: number;
}

/** Any id serves; 0 is within every vocabulary. */
const PADDING = 0;

/**
 * Pads to the longest example, rounded up to a multiple (8 in the paper, which also keeps the number of different shapes
 * small). Labels are shifted: target i is the label of token i + 1.
 */
export function collate(examples: readonly Example[], multiple = 8): Batch {
  const longest = examples.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const length = Math.ceil(longest / multiple) * multiple;
  let targetCount = 0;
  const rows: Int32Array[] = [];
  const targets: Int32Array[] = [];
  for (const { ids, labels } of examples) {
    const row = new Int32Array(length).fill(PADDING);
    row.set(ids);
    const target = new Int32Array(length).fill(NO_LABEL);
    target.set(labels.subarray(1));
    rows.push(row);
    targets.push(target);
    targetCount += target.reduce((count, id) => (id === NO_LABEL ? count : count + 1), 0);
  }
  return { rows, targets, length, targetCount };
}
