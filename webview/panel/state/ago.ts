/** How long ago something was, in words. After a week the date says more. */
import { t } from '../../support/l10n';
import { moment } from '../numbers';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "2 hours ago". @param iso ISO 8601 @param now milliseconds */
export function ago(iso: string, now: number): string {
  const past = now - Date.parse(iso);
  if (past < 0 || past >= 7 * DAY || Number.isNaN(past)) return moment(iso);
  if (past < MINUTE) return t('just now');
  if (past < HOUR) return counted(past / MINUTE, t('1 minute ago'), (n) => t('{0} minutes ago', n));
  if (past < DAY) return counted(past / HOUR, t('1 hour ago'), (n) => t('{0} hours ago', n));
  return counted(past / DAY, t('1 day ago'), (n) => t('{0} days ago', n));
}

function counted(amount: number, one: string, many: (n: number) => string): string {
  const n = Math.floor(amount);
  return n === 1 ? one : many(n);
}
