/** Formats numbers for the panel. */
import type { JsonNumber } from '../../src/protocol/json';
import { t } from '../support/l10n';

/** Reads a number from JSON, where infinity and NaN are strings. */
export const numeric = (value: JsonNumber | null | undefined): number =>
  typeof value === 'number' ? value : value === 'Infinity' ? Infinity : value === '-Infinity' ? -Infinity : NaN;

/** Formats a number with significant digits: 14.93, 0.00312, 62,074, 1.09e65, ∞. The tree uses four digits too. */
export function short(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return value === Infinity ? '∞' : value === -Infinity ? '−∞' : '–';
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return signed(value.toExponential(2).replace(/\.?0*e\+?/, 'e'));
  if (size >= 999.95) return signed(Math.round(value).toLocaleString('en-US'));
  return signed(String(Number(value.toPrecision(digits))));
}

const signed = (number: string): string => number.replaceAll('-', '−');

/** 134515008 → "134.5 M". */
export const count = (value: number): string => scaled(value, ['', ' k', ' M', ' B', ' T']);

/** 269060552 → "269.1 MB". */
export const bytes = (value: number): string => scaled(value, [' B', ' kB', ' MB', ' GB', ' TB']);

function scaled(value: number, units: readonly string[]): string {
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)}${units[unit]}`;
}

export const percent = (share: number): string =>
  `${(100 * share).toFixed(share !== 0 && Math.abs(share) < 0.1 ? 1 : 0)} %`;

/** "1.24×". */
export const times = (factor: number): string => `${short(factor, 3)}×`;

/** "0.4 s", "1:15 min". */
export function seconds(value: number): string {
  if (value < 1) return t('{0} ms', Math.round(1000 * value));
  if (value < 60) return t('{0} s', value.toFixed(1));
  return t('{0} min', `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, '0')}`);
}

/** Formats an estimated time: "0:07", "4:40", "1:02:05". */
export function clock(value: number): string {
  const whole = Math.max(0, Math.round(value));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Formats ascending block numbers: "3, 5–7, 12". */
export function blockList(blocks: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last?.[1] === block - 1) last[1] = block;
    else runs.push([block, block]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ') || t('none');
}

/** Formats an ISO date in the user's time zone: "25 Nov, 01:31". */
export const moment = (iso: string): string =>
  new Date(iso).toLocaleString(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
