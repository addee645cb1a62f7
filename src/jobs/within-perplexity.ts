/** As many blocks as a limit of the perplexity allows: the curve up to where it first crosses the limit. */
import type { JsonNumber } from '../format/json';

interface Point {
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  readonly ppl: JsonNumber;
}

/**
 * The blocks of the last point before the perplexity crosses the limit. A point behind the crossing may lie below it again,
 * but what made it so is luck of the text.
 * @param points from nothing removed on @param ratio the limit, in multiples of the first point's perplexity
 */
export function withinPerplexity(points: readonly Point[], ratio: number): readonly number[] {
  const limit = ratio * Number(points[0].ppl);
  const crossing = points.findIndex(({ ppl }, i) => i > 0 && !(Number(ppl) <= limit));
  return points[(crossing < 0 ? points.length : crossing) - 1].removed;
}
