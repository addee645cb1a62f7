/** Short formats of numbers for the views. */
import { parseJsonNumber } from '../engine/json';
import { l10n } from '../l10n';
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

/**
 * A score with enough digits to tell it from others: 8.306, 0.00312, 62,074, 1.09e65, ∞. The results panel uses the
 * same format in bars, tooltips and sentences.
 */
export function shortScore(score: JsonNumber): string {
  const value = parseJsonNumber(score) ?? NaN;
  if (!Number.isFinite(value)) return value === Infinity ? '∞' : String(score);
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return signed(value.toExponential(2).replace(/\.?0*e\+?/, 'e'));
  if (size >= 999.95) return signed(Math.round(value).toLocaleString('en-US'));
  return signed(String(Number(value.toPrecision(4))));
}

const signed = (number: string): string => number.replaceAll('-', '−');

/** An estimated time, rounded: "a few seconds", "40 s", "1:20", "50 min", "2 h 10 min". */
export function roughTime(seconds: number): string {
  if (seconds < 10) return l10n.t('a few seconds');
  const tens = Math.round(seconds / 10) * 10;
  if (tens < 60) return l10n.t('{0} s', tens);
  if (tens < 600) return `${Math.floor(tens / 60)}:${String(tens % 60).padStart(2, '0')}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return l10n.t('{0} min', minutes);
  return l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** "1.24×". */
export const times = (factor: number): string => `${factor.toFixed(2)}×`;
