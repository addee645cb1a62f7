/** Accuracies and their differences in words. */
import { t } from '../../support/l10n';
import type { Accuracy } from './accuracies';

type Paired = NonNullable<Accuracy['paired']>;

/** "49.3 % ± 1.1": with the standard error. */
export function accuracyText({ value, stderr }: Accuracy): string {
  if (value === null) return '–';
  return `${(100 * value).toFixed(1)} %${stderr === null ? '' : ` ± ${(100 * stderr).toFixed(1)}`}`;
}

/** "−2.1 points ± 1.4": with half of the 95 % interval. */
export function differenceText({ difference, interval }: Paired): string {
  if (difference === null) return '–';
  const points = 100 * difference;
  const words = t('{0} points', `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}`);
  return interval === null ? words : `${words} ± ${(100 * interval).toFixed(1)}`;
}

/** "12 lost, 5 gained, p = 0.143 (McNemar)" */
export function pValueText({ lost, gained, pValue }: NonNullable<Paired['items']>): string {
  const p = pValue === null ? '–' : pValue < 0.001 ? '< 0.001' : `= ${pValue.toFixed(3)}`;
  return t('{0} lost, {1} gained, p {2} (McNemar)', lost, gained, p);
}

/** Whether the interval of the difference excludes 0. */
export const isDifferent = ({ difference, interval }: Paired): boolean =>
  difference !== null && interval !== null && Math.abs(difference) > interval;
