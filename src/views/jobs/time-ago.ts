/** How long ago something was, in words. Does not use VS Code. */
import { l10n } from '../../l10n';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Older times are dates. */
const MAX_DAYS = 7;

/**
 * "just now", "5 min ago", "3 h ago", "2 days ago", then the date.
 * @param then and @param now in milliseconds since the epoch; a time in the future counts as now
 */
export function timeAgo(then: number, now: number): string {
  const seconds = Math.max(0, (now - then) / 1000);
  if (!Number.isFinite(seconds)) return '';
  if (seconds < MINUTE) return l10n.t('just now');
  if (seconds < HOUR) return l10n.t('{0} min ago', Math.floor(seconds / MINUTE));
  if (seconds < DAY) return l10n.t('{0} h ago', Math.floor(seconds / HOUR));
  const days = Math.floor(seconds / DAY);
  if (days === 1) return l10n.t('yesterday');
  if (days <= MAX_DAYS) return l10n.t('{0} days ago', days);
  return new Date(then).toLocaleDateString(undefined, { dateStyle: 'medium' });
}
