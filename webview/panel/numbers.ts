/** Formats numbers for the panel. */
import { numberRanges } from '../../src/format/ranges';
import { t } from '../support/l10n';

/** Formats a measured time: "400 ms", "12.3 s", "1:15 min". */
export function formatMeasured(seconds: number): string {
  if (seconds < 1) return t('{0} ms', Math.round(1000 * seconds));
  if (seconds < 60) return t('{0} s', seconds.toFixed(1));
  return t('{0} min', `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`);
}

/** Formats ascending block numbers: "3, 5–7, 12". */
export const blockList = (blocks: readonly number[]): string => numberRanges(blocks, '–') || t('none');

/** Formats an ISO date in the user's time zone: "25 Nov, 01:31". */
export const moment = (iso: string): string =>
  new Date(iso).toLocaleString(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
