/**
 * Whether a written answer is right.
 *
 * A regular expression of a user's file can take longer than the universe is old. It runs in a context of its own with a
 * time limit, which V8 checks while it backtracks.
 */
import { createContext, Script } from 'node:vm';
import { isObject } from '../../../format/json';
import { messageOf, UserError } from '../../errors';
import { printable } from '../../formats/bounded-json';
import { repetition } from '../../records/repetition';
import type { WrittenItem } from './item';

/** Expressions that are meant to end take microseconds. */
const PATIENCE_MS = 1000;

/**
 * Whether `text`, what the model wrote, is what `item` expects.
 * @param file of the item, for messages @throws UserError when a regular expression does not end
 */
export function isCorrect(item: WrittenItem, text: string, file: string): boolean {
  const fold = (each: string): string => (item.ignoreCase === true ? each.toLowerCase() : each);
  const answer = answerOf(text, item.until ?? []);
  switch (item.match) {
    case 'exact':
      return item.expected.some((each) => fold(each.trim()) === fold(answer.trim()));
    case 'contains':
      return item.expected.some((each) => fold(answer).includes(fold(each)));
    case 'regex':
      return item.expected.some((each) => matches(each, item, answer, file));
    case 'ends':
    case 'new':
      throw new Error(`a text that is judged by "${item.match}" expects nothing`);
  }
}

/** More than half of it is new: what counts is the share. */
const MUCH_NEW = 0.5;

/** A text as it was written. */
interface Text {
  readonly text: string;
  readonly ids: readonly number[];
  /** It ended with a token that says so. */
  readonly ended: boolean;
}

/**
 * What a text of the model's own counts. One of fewer tokens than a run has nothing new. @param file of the item, for messages
 * @throws UserError when a regular expression does not end
 */
export function judgedText(
  item: WrittenItem,
  { text, ids, ended }: Text,
  file: string,
): { readonly correct: boolean; readonly fresh?: number } {
  if (item.match === 'ends') {
    const answer = answerOf(text, item.until ?? []);
    return { correct: answer.trim() !== '' && (ended || answer.length < text.length) };
  }
  if (item.match !== 'new') return { correct: isCorrect(item, text, file) };
  const share = repetition(ids);
  const fresh = Number.isNaN(share) ? 0 : 1 - share;
  return { correct: fresh > MUCH_NEW, fresh };
}

/** The text up to the first of `until`, which does not count in the white space before the answer. */
export function answerOf(text: string, until: readonly string[]): string {
  const start = text.length - text.trimStart().length;
  const ends = until.map((each) => text.indexOf(each, start)).filter((end) => end >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

/** Source and flags of a regular expression: Unicode, so that a dot is a whole character. */
export const regexOf = (expected: string, ignoreCase: boolean): [string, string] => [expected, ignoreCase ? 'iu' : 'u'];

const sandbox: { source?: string; flags?: string; text?: string } = createContext({});
const search = new Script('new RegExp(source, flags).test(text)');

function matches(expected: string, { item, ignoreCase = false }: WrittenItem, text: string, file: string): boolean {
  [sandbox.source, sandbox.flags] = regexOf(expected, ignoreCase);
  sandbox.text = text;
  try {
    return search.runInContext(sandbox, { timeout: PATIENCE_MS }) === true;
  } catch (error) {
    const code = isObject(error) ? error.code : undefined; // an error of the context is no `Error` of this one
    const why =
      code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
        ? `takes longer than ${PATIENCE_MS / 1000} s`
        : `fails (${printable(messageOf(error), 160)})`;
    throw new UserError(
      `Cannot check the answer to items[${item}] of ${file}`,
      `its regular expression ${printable(JSON.stringify(expected), 80)} ${why} on what the model wrote`,
      'Write it without nested repetitions, or use "match": "contains".',
      { cause: error },
    );
  }
}
