/** Estimated times as text. */
import { l10n } from '../l10n';

const FEW_SECONDS = 10;

/** The same with "about" where it is a number. */
export const aboutTime = (seconds: number): string =>
  seconds < FEW_SECONDS ? roughTime(seconds) : l10n.t('about {0}', roughTime(seconds));

/** An estimated time, rounded: "a few seconds", "40 s", "1:20", "50 min", "2 h 10 min", "1 day 5 h", "6 days". */
export function roughTime(seconds: number): string {
  if (seconds < FEW_SECONDS) return l10n.t('a few seconds');
  const tens = Math.round(seconds / 10) * 10;
  if (tens < 60) return l10n.t('{0} s', tens);
  if (tens < 600) return `${Math.floor(tens / 60)}:${String(tens % 60).padStart(2, '0')}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return l10n.t('{0} min', minutes);
  const hours = Math.round(minutes / 60);
  if (hours < 24) return l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
  if (hours === 24) return l10n.t('1 day');
  if (hours < 48) return l10n.t('1 day {0} h', hours - 24);
  return l10n.t('{0} days', Math.round(hours / 24));
}
