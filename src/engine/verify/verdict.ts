/** Whether what was measured of a written model is what its type explains. */
import type { GreedyComparison, LogitsComparison } from './compare';
import type { WeightsComparison } from './weights';

/** What came of a verification. */
export interface Verified extends LogitsComparison {
  readonly greedy: GreedyComparison;
  /** All weights; absent for a file whose weights cannot be read one by one. */
  readonly weights?: WeightsComparison;
  /** Whether the file has the source's numbers, so that the logits must be the same. */
  readonly exact: boolean;
  /** Largest difference of two logits that is accepted; of a rounded model, the largest relative difference without a second look. */
  readonly tolerance: number;
  readonly passed: boolean;
  /** What is wrong, in words; absent if it passed. */
  readonly why?: string;
}

/** Two ways to compute the same in float32. */
export const EXACT_TOLERANCE = 1e-3;

/**
 * The length of the difference of the logits beside theirs, at most, without a second look: a rounded model differs, and by how much
 * depends on the model. A model with a wrong setting differs by about as much as its logits are long.
 */
export const ROUNDED_TOLERANCE = 0.6;

/** What is wrong with a model in half precision whose numbers leave its range. */
export const OVERFLOW = 'some numbers that it multiplies on the way are beyond 65504, where float16 ends';

interface Checked {
  readonly logits: LogitsComparison;
  readonly greedy: GreedyComparison;
  /** Of the source's continuation: the lead of each token over the second best. */
  readonly margins: readonly number[];
  readonly weights?: WeightsComparison;
  readonly exact: boolean;
  /** Whether the source’s settings give the file’s logits with the numbers of the file. */
  readonly isRounding?: boolean;
  /** Whether it multiplies in float16 what that cannot hold. */
  readonly overflows?: boolean;
}

export function verdictOf(measured: Checked): Verified {
  const { logits, greedy, weights, exact } = measured;
  const tolerance = exact ? EXACT_TOLERANCE : ROUNDED_TOLERANCE;
  const why = faultOf(measured);
  return {
    ...logits,
    greedy,
    ...(weights && { weights }),
    exact,
    tolerance,
    passed: why === undefined,
    ...(why !== undefined && { why }),
  };
}

function faultOf({
  logits,
  greedy,
  margins,
  weights,
  exact,
  overflows = false,
  isRounding = false,
}: Checked): string | undefined {
  const { maxDifference, relative } = logits;
  const { firstDifference } = greedy;
  if (weights?.wrong !== undefined) return `numbers of ${weights.wrong} are not those of the model`;
  if (overflows) return OVERFLOW;
  if (exact && !(maxDifference <= EXACT_TOLERANCE)) {
    return `its logits differ by up to ${maxDifference.toPrecision(3)}, and at most ${EXACT_TOLERANCE} is rounding`;
  }
  // A tie may fall either way. Logits of whole rows say nothing about a cache, which the continuation uses.
  if (exact && firstDifference !== undefined && margins[firstDifference] > 2 * EXACT_TOLERANCE) {
    return `token ${firstDifference + 1} of its continuation is another one`;
  }
  if (!isRounding && !(relative <= ROUNDED_TOLERANCE)) {
    return `its logits differ by ${relative.toPrecision(3)} of their length, which rounding does not explain`;
  }
  return undefined;
}
