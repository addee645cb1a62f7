/** Shares, their errors and differences, as pages of accuracies have them. */
import type { PairedDifference } from '../../engine/evaluate/tasks/results';

export const percent = (of: number): string => `${(100 * of).toFixed(1)} %`;

/** "51.2 % ± 1.4", in columns; a standard error that there is not leaves its room. */
export const share = (value: number | undefined, stderr: number | null | undefined): string =>
  value === undefined
    ? '–'
    : `${percent(value)} ${stderr === null || stderr === undefined ? '     ' : `± ${(100 * stderr).toFixed(1)}`.padEnd(5)}`;

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`;

/** "−2.1 ± 1.4" */
export const points = ({ difference, interval }: PairedDifference): string =>
  `${signed(difference)}${interval === null ? '' : ` ± ${(100 * interval).toFixed(1)}`}`;

export const pValue = (value: number): string => (value < 0.001 ? '< 0.001' : value.toFixed(3));
