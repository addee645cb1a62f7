/** Parts of a job's main numbers, which its definition puts together for reports. English, like these. Pure. */
import { isObject, type JsonObject, parseJsonNumber } from '../format/json';
import { formatBytes, formatPercent, shortCount, shortNumber } from '../format/numbers';
import { numberRanges } from '../format/ranges';
import { capitalized } from '../format/words';

/** A name and what is said of it. */
export type Fact = readonly [name: string, value: string];

/** The name of the fact that reports replace by the size of the files. */
export const SIZE = 'size';

/** A number of a result in words; nothing if it is not there. */
export function numberFact(name: string, value: unknown, words: (value: number) => string = shortNumber): Fact[] {
  const found = parseJsonNumber(value);
  return found === undefined ? [] : [[name, words(found)]];
}

/** A number before and after; nothing if one is not there. */
export function changeFact(
  name: string,
  before: unknown,
  after: unknown,
  of: string,
  words: (value: number) => string = (value) => shortNumber(value),
): Fact[] {
  const [from, to] = [before, after].map((each) => parseJsonNumber(field(each, of)));
  return from === undefined || to === undefined ? [] : [[name, `${words(from)} → ${words(to)}`]];
}

export const perSecond = (value: number): string => `${shortNumber(value, 3)} tokens/s`;
export const nats = (value: number): string => `${shortNumber(value, 3)} nats`;
export const field = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

/** Blocks as ranges, and modules by name: "10, 12-14, 16.ffn". */
export function blockList(removed: readonly unknown[]): string {
  const blocks = removed.filter((each) => typeof each === 'number').toSorted((a, b) => a - b);
  const others = removed.filter((each) => typeof each === 'string');
  const ranges = blocks.length > 0 ? [numberRanges(blocks)] : [];
  return removed.length === 0 ? 'none' : [...ranges, ...others].join(', ');
}

export const removedFact = ({ removed }: JsonObject): Fact[] =>
  Array.isArray(removed) && removed.length > 0 ? [['removed', blockList(removed)]] : [];

const fewerWords = (before: number, after: number): string =>
  `${shortCount(after)} of ${shortCount(before)}, −${formatPercent(1 - after / before)}`;

/** Of a model that was written. */
export function writtenFacts(result: JsonObject): Fact[] {
  const { parametersBefore, parametersAfter, bytes, bytesAfter } = result;
  const before = parseJsonNumber(parametersBefore);
  const after = parseJsonNumber(parametersAfter);
  const size: Fact[] =
    before === undefined || after === undefined
      ? []
      : [['parameters', before === after ? shortCount(after) : fewerWords(before, after)]];
  return [...removedFact(result), ...size, ...numberFact(SIZE, bytes ?? bytesAfter, formatBytes)];
}

/** What perplexity or divergence was measured on, and in what arithmetic. */
export function measuredOn({ windows, window, text, precision }: JsonObject): Fact[] {
  const rows = field(text, 'rows') ?? windows;
  const length = field(text, 'length') ?? window;
  const name = field(text, 'name');
  const words = [
    ...(typeof name === 'string' ? [name] : []),
    ...(typeof rows === 'number' && typeof length === 'number' ? [`${rows} × ${length} tokens`] : []),
    ...(typeof precision === 'string' ? [precision] : []),
  ];
  return words.length === 0 ? [] : [['measured', words.join(', ')]];
}

/** Whether a written file says the same as its model. */
export function verifiedFact({ verified }: JsonObject): Fact[] {
  if (!isObject(verified)) return [];
  const { passed, why } = verified;
  return [['verified', passed === true ? 'the same as the model' : capitalized(typeof why === 'string' ? why : 'no')]];
}
