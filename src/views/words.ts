/** Numbers as the views write them: short, for lines that have no room. */
import { formatNumber } from '../cli/terminal/text';
import { parseJsonNumber } from '../engine/json';
import type { JsonNumber } from '../protocol/json';

export { formatBytes, formatCount, formatDuration, formatNumber, formatSeconds } from '../cli/terminal/text';

/** 134515008 → "134.5M". */
export function shortCount(count: number): string {
  const units = ['', 'K', 'M', 'B', 'T'];
  let value = count;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)}${units[unit]}`;
}

/** A score with as many digits as tell it from its neighbours. */
export function shortScore(score: JsonNumber): string {
  const value = parseJsonNumber(score) ?? NaN;
  return Number.isFinite(value) ? formatNumber(value, 4) : value === Infinity ? '∞' : String(score);
}

/** "1.24×". */
export const times = (factor: number): string => `${factor.toFixed(2)}×`;
