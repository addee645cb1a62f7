/**
 * Speeds with their spread, for who reads two beside each other. Other work of a machine moves a speed by more than a model
 * does, so a factor is told only where the ranges of repeated measurements are apart.
 */
import { formatFactor, shortNumber } from './numbers';

export type Range = readonly [low: number, high: number];

export interface Speed {
  /** The median, in tokens a second. */
  readonly value: number;
  /** Least and largest of the repeats; undefined for a speed that was measured once. */
  readonly range?: Range;
}

/** A speed in three digits: "46.1", "1,970". */
export const formatSpeed = (value: number): string => shortNumber(Number(value.toPrecision(3)));

/** "362 tokens/s (340–371)"; of a single measurement "≈ 362 tokens/s". */
export function speedText({ value, range }: Speed): string {
  const words = `${formatSpeed(value)} tokens/s`;
  if (!range) return `≈ ${words}`;
  const [low, high] = range.map(formatSpeed);
  return low === high ? words : `${words} (${low}–${high})`;
}

/** Whether two speeds differ by more than their repeats do. What was measured once says nothing of that. */
export const areApart = ({ range: a }: Speed, { range: b }: Speed): boolean =>
  a !== undefined && b !== undefined && (a[0] > b[1] || b[0] > a[1]);

/** A speed as a factor of another one: "1.31×". "≈" where their ranges overlap, and nothing where one was measured once. */
export function speedChange(speed: Speed, before: Speed): string {
  if (!speed.range || !before.range) return '';
  return areApart(speed, before) ? formatFactor(speed.value / before.value) : '≈';
}
