/** Amounts of things, each in the singular or the plural. */
import { t } from './l10n';
import { formatCount } from '../../src/format/numbers';

/** Takes the singular for one, and the plural with the number otherwise. */
const amount = (count: number, one: string, many: (number: string) => string): string =>
  count === 1 ? one : many(formatCount(count));

export const blocksText = (count: number): string => amount(count, t('1 block'), (n) => t('{0} blocks', n));
export const filesText = (count: number): string => amount(count, t('1 file'), (n) => t('{0} files', n));
export const tensorsText = (count: number): string => amount(count, t('1 tensor'), (n) => t('{0} tensors', n));
export const elementsText = (count: number): string => amount(count, t('1 element'), (n) => t('{0} elements', n));
export const problemsText = (count: number): string => amount(count, t('1 problem'), (n) => t('{0} problems', n));
export const tokensText = (count: number): string => amount(count, t('1 token'), (n) => t('{0} tokens', n));
export const textsText = (count: number): string => amount(count, t('1 text'), (n) => t('{0} texts', n));
export const rowsText = (count: number): string => amount(count, t('1 row'), (n) => t('{0} rows', n));
export const stepsText = (count: number): string => amount(count, t('1 step'), (n) => t('{0} steps', n));
export const itemsText = (count: number): string => amount(count, t('1 item'), (n) => t('{0} items', n));
