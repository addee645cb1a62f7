/** Formats numbers for a page. */

/** 134515008 → "134,515,008". */
export const formatCount = (count: number): string => count.toLocaleString('en-US');

/** "1 text", "1,270 tokens". */
export const counted = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;

/** 269060552 → "269.1 MB", in decimal units, as on disks and in model cards. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Formats a number with significant digits: 15.5932, 0.00312, 1.09e+65. */
export function formatNumber(value: number, digits = 6): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(2);
  return Number(value.toPrecision(digits)).toString();
}

/** Formats a part of a whole in percent. */
export const formatShare = (part: number, whole: number): string =>
  whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(part / whole < 0.0995 ? 1 : 0)} %`;
