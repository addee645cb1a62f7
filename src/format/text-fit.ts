/** How well a model reads a text: numbers that results, records and pages share. Pure. */
import { isObject } from './json';

/** What was measured on the first rows. */
export interface TextFit {
  /** Rows that were measured. */
  readonly rows: number;
  /** Perplexity of these rows as they are. */
  readonly ppl: number;
  /** That of the same tokens, with a begin-of-text token before each row if there was none, otherwise without it. */
  readonly other?: { readonly begins: boolean; readonly ppl: number };
  /** Above this, a perplexity is that of a model which does not know the text: √ of the size of the vocabulary, but at least 100. */
  readonly limit: number;
}

/** Whether a value of a record has these numbers. */
export function isTextFit(value: unknown): value is TextFit {
  const areNumbers = (...numbers: unknown[]): boolean => numbers.every((each) => typeof each === 'number');
  if (!isObject(value) || !areNumbers(value.rows, value.ppl, value.limit)) return false;
  const { other } = value;
  return other === undefined || (isObject(other) && typeof other.begins === 'boolean' && areNumbers(other.ppl));
}
