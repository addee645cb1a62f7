/** The points of a curve as plans: which blocks each removes, what it costs, and which block goes next. Pure. */
import type { CurveDigest, PanelModel } from '../../../src/protocol/panel';
import { numeric } from '../../../src/format/json';

export interface CurvePlan {
  readonly count: number;
  /** Ascending. */
  readonly removed: readonly number[];
  /** NaN if it is unknown. */
  readonly ppl: number;
  /** Relative to the whole model; NaN if that is unknown. */
  readonly ratio: number;
}

/**
 * The plans of a curve by their number of removed blocks, with the whole model first.
 * @param whole perplexity of the whole model; NaN if unknown
 */
export function plansOf(points: CurveDigest['points'], whole: number): CurvePlan[] {
  const plans = points
    .map(({ count, removed, ppl }): CurvePlan => {
      return { count, removed, ppl: numeric(ppl), ratio: numeric(ppl) / whole };
    })
    .sort((a, b) => a.count - b.count);
  return plans[0]?.count === 0 ? plans : [{ count: 0, removed: [], ppl: whole, ratio: 1 }, ...plans];
}

export const samePlan = (one: readonly number[], other: readonly number[]): boolean => one.join() === other.join();

/** The plan with the most blocks removed whose measured perplexity is within the limit; undefined if only the whole model is. */
export const largestWithin = (plans: readonly CurvePlan[], limit: number): CurvePlan | undefined =>
  plans.filter(({ count, ppl }) => count > 0 && ppl <= limit).at(-1);

/** The plan with the nearest number of removed blocks, towards `count` from `from` where a curve has gaps. */
export function nearestPlan(plans: readonly CurvePlan[], count: number, from: number): CurvePlan {
  const [less, more] = [plans.filter((plan) => plan.count <= count).at(-1), plans.find((plan) => plan.count >= count)];
  return (count > from ? more : less) ?? less ?? more!;
}

/** The blocks that go on the way to the next point; undefined at the end, or where the next one is no continuation. */
export function goesNext(points: CurveDigest['points'], removed: readonly number[]): number[] | undefined {
  const next = points
    .filter(({ count }) => count > removed.length)
    .reduce<CurveDigest['points'][number] | undefined>((a, b) => (a && a.count <= b.count ? a : b), undefined);
  if (!next || !removed.every((block) => next.removed.includes(block))) return undefined;
  return next.removed.filter((block) => !removed.includes(block));
}

/** Without `removed` blocks. */
export const parametersAt = ({ parameters, parametersPerBlock }: PanelModel, removed: number): number =>
  parameters - removed * parametersPerBlock;

/** An estimate: the time for a token grows with the parameters that are read for it. */
export const speedAt = ({ parametersRead: read, parametersPerBlock }: PanelModel, removed: number): number =>
  read / (read - removed * parametersPerBlock);

/** Bytes of the files without these blocks, as a plan has them; 0 if the model's are unknown. */
export function bytesWithout(
  { bytes, blockBytes, bytesMore }: Pick<PanelModel, 'bytes' | 'blockBytes' | 'bytesMore'>,
  removed: readonly number[],
): number {
  if (removed.length === 0 || bytes === 0) return bytes;
  if (blockBytes.length === 0) return 0;
  return removed.reduce((left, block) => left - (blockBytes[block] ?? 0), bytes + bytesMore);
}
