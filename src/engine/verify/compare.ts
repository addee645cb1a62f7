/** How far the logits of two models are apart, position by position. */

export interface LogitsComparison {
  /** Positions that were compared. */
  readonly positions: number;
  /** Largest difference of two logits. */
  readonly maxDifference: number;
  /** Length of the difference beside that of the source's logits, over all positions, both less the mean of each position:
   * what all words have in common does not change their probabilities.
   */
  readonly relative: number;
  /** Mean KL divergence of the file's next token from the source's, in nats. */
  readonly meanKl: number;
  /** Share of positions with the same most likely token. */
  readonly top1: number;
}

/**
 * @param source logits of the model that was written, one array of (vocabulary) for each position
 * @param written those of the file
 */
export function compareLogits(source: readonly Float32Array[], written: readonly Float32Array[]): LogitsComparison {
  let maxDifference = 0;
  let [apart, size] = [0, 0];
  let [kl, agreed] = [0, 0];
  for (const [p, logits] of source.entries()) {
    const other = written[p];
    const [mean, otherMean] = [meanOf(logits), meanOf(other)];
    for (let i = 0; i < logits.length; i++) {
      const difference = Math.abs(logits[i] - other[i]);
      maxDifference = Math.max(maxDifference, difference); // not a number once one is
      apart += (logits[i] - mean - (other[i] - otherMean)) ** 2;
      size += (logits[i] - mean) ** 2;
    }
    kl += divergence(logits, other);
    if (argMax(logits) === argMax(other)) agreed++;
  }
  const positions = source.length;
  const relative = Math.sqrt(apart / size);
  return { positions, maxDifference, relative, meanKl: kl / positions, top1: agreed / positions };
}

const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Σ p (log p − log q) of the two softmaxes, in nats. */
function divergence(logits: Float32Array, other: Float32Array): number {
  const [a, b] = [logSumExp(logits), logSumExp(other)];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const log = logits[i] - a;
    sum += Math.exp(log) * (log - (other[i] - b));
  }
  return Math.max(0, sum); // rounding may bring it below
}

function logSumExp(logits: Float32Array): number {
  const top = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  return top + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

/** The first of the largest. */
export function argMax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/** Two continuations of one prompt. */
export interface GreedyComparison {
  /** Tokens that were compared. */
  readonly tokens: number;
  readonly equal: boolean;
  /** The first one that differs, from 0; absent if all are equal. */
  readonly firstDifference?: number;
}

export function compareTokens(expected: readonly number[], found: readonly number[]): GreedyComparison {
  const at = expected.findIndex((id, i) => id !== found[i]);
  return { tokens: expected.length, equal: at < 0, ...(at >= 0 && { firstDifference: at }) };
}
