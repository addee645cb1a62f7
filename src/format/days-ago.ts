/** When something was, as people say it: in days. */
const DAY_MS = 24 * 60 * 60_000;
/** From here on a date says more than a number of days. */
const MANY_DAYS = 30;

/**
 * "today", "yesterday", "2 days ago", and a date after a month.
 * @param at milliseconds since 1970
 * @param language such as "en"; days begin at midnight of this machine
 */
export function daysAgo(at: number, language: string, now = Date.now()): string {
  const midnight = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(now) - midnight(at)) / DAY_MS);
  if (days > MANY_DAYS) return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(at);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(-Math.max(0, days), 'day');
}
