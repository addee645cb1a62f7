/** Numbers as text, the same on the command line, in the views and on the pages. */

/** 134515008 → "134,515,008". */
export const formatCount = (count: number): string => count.toLocaleString('en-US');

/** 134515008 → "134.5M", for lines without room. */
export function shortCount(count: number): string {
  return scaled(count, ['', 'K', 'M', 'B', 'T']);
}

/** 269060552 → "269.1 MB". Decimal units, as disks and model cards have them. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, [' B', ' kB', ' MB', ' GB', ' TB']);
}

/** Full precision below 1000, one decimal above. */
function scaled(number: number, units: readonly string[]): string {
  let value = number;
  let unit = 0;
  while (Math.abs(value) >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)}${units[unit]}`;
}

/** A number with the digits that matter, as a program reads it too: 15.5932, 0.00312, 8276.26, 1.09e+65. */
export function formatNumber(value: number, digits = 6): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(2);
  return Number(value.toPrecision(digits)).toString();
}

/** A number in few digits, for people: 14.93, 0.00312, 62,074, 1.09e65, ∞. NaN is "–". */
export function shortNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return value === Infinity ? '∞' : value === -Infinity ? '−∞' : '–';
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return signed(value.toExponential(2).replace(/\.?0*e\+?/, 'e'));
  if (size >= 999.95) return signed(Math.round(value).toLocaleString('en-US'));
  return signed(String(Number(value.toPrecision(digits))));
}

/** With the minus sign of print. */
const signed = (number: string): string => number.replaceAll('-', '−');

/** A factor: "1.24×". */
export const formatFactor = (factor: number): string => `${shortNumber(factor, 3)}×`;

/** A share of 1 in percent, with a decimal below ten: "4.9 %", "50 %", "0 %". */
export const formatPercent = (share: number): string =>
  `${(100 * share).toFixed(share !== 0 && Math.abs(share) < 0.0995 ? 1 : 0)} %`;

/** A part of a whole in percent; 0 % of nothing. */
export const formatShare = (part: number, whole: number): string => formatPercent(whole === 0 ? 0 : part / whole);
