/** Medians, and what lies around them. */

/** The median; of an even number of values, the mean of the middle two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median with the least and the largest value. */
export const spreadOf = (values: readonly number[]) => ({
  median: median(values),
  low: Math.min(...values),
  high: Math.max(...values),
});

/** The median as one of the values; of an even number of values, the larger of the middle two. Undefined of none. */
export function upperMedian(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b).at(values.length >> 1);
}
