/** What a part computes, in words for people. */
import { type Range, size } from '../../engine/parts/split';

/** "rows 6 to 10 of 64"; undefined where there are none. Numbers are from 1. */
export const rowsWords = ({ from, to }: Range, of: number): string | undefined =>
  to > from ? `rows ${from + 1} to ${to} of ${of}` : undefined;

/** "blocks 4 to 11": the first and the last of a range; undefined for none. @param names of all, in their order */
export function rangeWords(noun: string, range: Range, names: readonly (string | number)[]): string | undefined {
  if (size(range) === 0) return undefined;
  const [first, last] = [names[range.from], names[range.to - 1]];
  return first === last ? `${noun} ${first}` : `${noun}s ${first} to ${last}`;
}

/** Joins what is there. */
export const workWords = (...words: readonly (string | undefined)[]): string =>
  words.filter((each) => each !== undefined).join(', ');
