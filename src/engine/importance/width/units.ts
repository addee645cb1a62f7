/**
 * Units of a block, which are kept or removed as a whole: groups of heads and neurons (checkpoint/width.ts). A higher
 * score is kept longer.
 */
import type { PlainShape } from '../../checkpoint/kinds/plain';
import { groupsOf, type LayerWidth, type UnitCounts } from '../../checkpoint/width';

/** A number for each unit of a block. */
export interface UnitScores {
  readonly groups: Float64Array;
  readonly neurons: Float64Array;
}

/** Sums consecutive channels to `units` sums of equal length. */
export function summed(channels: ArrayLike<number>, units: number): Float64Array {
  const each = channels.length / units;
  const sums = new Float64Array(units);
  for (let i = 0; i < channels.length; i++) sums[Math.floor(i / each)] += channels[i];
  return sums;
}

/** Units but the `count` lowest, ascending. Of equal ones the lower index goes first. */
export function withoutLowest(scores: Float64Array, count: number): number[] {
  const removed = new Set([...scores.keys()].sort((a, b) => scores[a] - scores[b] || a - b).slice(0, count));
  return [...scores.keys()].filter((unit) => !removed.has(unit));
}

/**
 * Units from the threshold of a uniform ratio on, ascending: the score that has `count` lower ones. Whatever equals it
 * stays, so this removes fewer than `count` if scores are equal.
 */
export function fromThreshold(scores: Float64Array, count: number): number[] {
  const threshold = Float64Array.from(scores).sort()[count];
  return [...scores.keys()].filter((unit) => scores[unit] >= threshold);
}

/** Units above a score, ascending; the best one if none is. */
export function aboveOrBest(scores: Float64Array, threshold: number): number[] {
  const kept = [...scores.keys()].filter((unit) => scores[unit] > threshold);
  return kept.length > 0 ? kept : [scores.indexOf(scores.reduce((best, score) => Math.max(best, score)))];
}

/**
 * The multiple that is nearest to a number of kept neurons, at least one, and the higher of two that are as near. All
 * neurons stay all, whatever their number. A block with fewer neurons than the multiple keeps the number.
 */
export function nearestMultiple(kept: number, all: number, multiple: number | undefined): number {
  if (multiple === undefined || kept === all || all < multiple) return kept;
  const nearest = Math.max(1, Math.round(kept / multiple)) * multiple;
  return nearest <= all ? nearest : nearest - multiple;
}

/** Kept neurons of a block in such a number: the next best by the same score come in addition, or the worst go too. */
export function inMultiples(
  kept: LayerWidth,
  { neurons: scores }: UnitScores,
  multiple: number | undefined,
): LayerWidth {
  const { groups, neurons } = kept;
  const count = nearestMultiple(neurons.length, scores.length, multiple);
  if (count === neurons.length) return kept;
  return { groups, neurons: withoutLowest(scores, scores.length - count) };
}

/** All units of a block. */
export const allUnits = (shape: PlainShape): UnitCounts => ({ groups: groupsOf(shape), neurons: shape.ffn });

/** How many units of each block are kept. */
export const countsOf = (layers: readonly LayerWidth[]): UnitCounts[] =>
  layers.map(({ groups, neurons }) => ({ groups: groups.length, neurons: neurons.length }));
