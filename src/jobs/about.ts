/** Words of which a definition makes the one line about a result. English, like the pages of the command line. Pure. */
import { isObject, type JsonObject, parseJsonNumber } from '../format/json';
import { formatNumber, shortCount } from '../format/numbers';
import { formatCounted } from '../format/words';
import type { Said } from './define';

export const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');

export const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A number in words; empty if it is none. */
export const numberIn = (value: unknown, digits?: number): string => {
  const found = parseJsonNumber(value);
  if (found === undefined) return '';
  return Number.isInteger(found) && digits === undefined ? found.toLocaleString('en-US') : formatNumber(found, digits);
};

/** "3 models" */
export const countedIn = (list: unknown, noun: string): string =>
  Array.isArray(list) ? formatCounted(list.length, noun) : '';

export const pplWords = (ppl: unknown): string => (ppl === undefined ? '' : `perplexity ${numberIn(ppl, 4)}`);

/** "4, 5, 6 and 3 more" */
function listed(items: readonly unknown[], most: number): string {
  const shown = items
    .slice(0, most)
    .map((item) => (isObject(item) ? `${String(item.block)}.${String(item.part)}` : String(item)));
  return `${shown.join(', ')}${items.length > most ? ` and ${items.length - most} more` : ''}`;
}

export const leastOf = (order: unknown): string =>
  Array.isArray(order) && order.length > 0 ? `least important first: ${listed(order, 6)}` : '';

export const removedWords = (removed: unknown): string => {
  if (!Array.isArray(removed)) return '';
  return removed.length === 0 ? 'nothing removed' : `without ${listed(removed, 12)}`;
};

export function parametersWords({ parametersBefore, parametersAfter }: JsonObject): string {
  const [before, after] = [parseJsonNumber(parametersBefore), parseJsonNumber(parametersAfter)];
  if (before === undefined || after === undefined) return '';
  return before === after
    ? `${shortCount(after)} parameters`
    : `${shortCount(before)} → ${shortCount(after)} parameters`;
}

/** About a model without some blocks that was written. */
export const writtenWords = (result: JsonObject, { written }: Said): string =>
  joined(removedWords(result.leftOut ?? result.removed), parametersWords(result), written);
