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
  }
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
