/** The range and the scale of the axis of the importance chart. */

/** Above this ratio of the largest bar to the smallest, a linear axis would show nothing but the largest. */
const LOG_FROM = 12;

export interface Axis {
  /** Where bars start. */
  readonly start: number;
  readonly bottom: number;
  readonly top: number;
  readonly log: boolean;
}

/**
 * A few blocks (the first, often the last) matter thousands of times as much as the others, and the choice is among the
 * others. So the axis ends above most bars, and longer bars are cut. `whole` shows all, on a logarithmic axis if needed.
 */
export function axisOf(values: readonly number[], base: number, isPpl: boolean, whole: boolean): Axis {
  const [least, most] = [Math.min(base, ...values), Math.max(base, ...values)];
  const smallest = Math.min(...values);
  const sorted = [...values].sort((a, b) => a - b);
  const usual = sorted[Math.floor(0.8 * (sorted.length - 1))] ?? most;
  const end = base + 1.6 * (usual - base);
  if (!whole && most > base + 2 * (end - base) && end > base) {
    return { start: base, bottom: least - (isPpl ? (end - least) * 0.05 : 0), top: end, log: false };
  }
  const log = smallest > 0 && (isPpl ? most / least : most / smallest) > LOG_FROM;
  if (!log)
    return {
      start: base,
      bottom: isPpl ? least - (most - least) * 0.06 : least,
      top: most + (most - least) * 0.08,
      log,
    };
  // A logarithmic axis has no zero, so bars start where the axis starts.
  return { start: isPpl ? base : smallest / 1.5, bottom: isPpl ? least / 1.15 : smallest / 1.5, top: most * 1.35, log };
}
