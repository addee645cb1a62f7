/** When something was, as people say it. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** From here on a date says more than a number of days. */
const MANY_DAYS = 7;

export interface AgoWords {
  /** Such as "en". */
  readonly language: string;
  /** What less than a minute is called. Without it days are the smallest step, for a text that stays as it is for hours. */
  readonly justNow?: string;
}

/**
 * "just now", "5 minutes ago", "3 hours ago", "yesterday", "2 days ago", and a date after a week.
 * @param then and @param now in milliseconds since 1970; a time in the future counts as now. Days begin at midnight of this machine
 */
export function ago(then: number, { language, justNow }: AgoWords, now = Date.now()): string {
  const past = Math.max(0, now - then);
  if (Number.isNaN(past)) return '';
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  if (justNow !== undefined && past < DAY) {
    if (past < MINUTE) return justNow;
    return past < HOUR
      ? relative.format(-Math.floor(past / MINUTE), 'minute')
      : relative.format(-Math.floor(past / HOUR), 'hour');
  }
  const midnight = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.max(0, Math.round((midnight(now) - midnight(then)) / DAY));
  if (days > MANY_DAYS) return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(then);
  return relative.format(-days, 'day');
}
