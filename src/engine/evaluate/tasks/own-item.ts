/** Items of a task of the user's own. A field that the format does not have is refused, for it may be a mistyped one. */
import type { JsonObject } from '../../../format/json';
import { counted } from '../../../format/words';
import { messageOf, type UserError } from '../../errors';
import { printable } from '../../formats/bounded-json';
import { MAX_ANSWER_TOKENS, MAX_CHOICES, MAX_EXPECTED_LENGTH } from '../../formats/limits';
import { choicesOf } from './choices';
import { regexOf } from './correct';
import type { ChoiceItem, Match, WrittenItem } from './item';
import { endsInSpace, strip } from './python-text';
import { badData } from './records';

/** Fields of the items; the schema has the same. */
export const CHOICE_FIELDS = ['context', 'choices', 'answer', 'delimiter', 'note'] as const;
export const WRITTEN_FIELDS = ['prompt', 'expected', 'match', 'ignoreCase', 'until', 'maxTokens', 'note'] as const;

export const MATCHES: readonly Match[] = ['exact', 'contains', 'regex'];
export const DEFAULT_ANSWER_TOKENS = 32;

/** Fields of the file or of an item. */
export class OwnFields {
  constructor(
    private readonly file: string,
    /** "items[3]"; undefined for the file's own fields. */
    private readonly place: string | undefined,
    private readonly fields: JsonObject,
  ) {}

  has(field: string): boolean {
    return this.fields[field] !== undefined;
  }

  value(field: string): unknown {
    return this.fields[field];
  }

  /** @throws UserError for a field that is not in `names` */
  only(names: readonly string[]): void {
    const stranger = Object.keys(this.fields).find((field) => !names.includes(field));
    if (stranger === undefined) return;
    throw this.bad(printable(stranger, 60), 'is no field of the format', `Fields are ${names.join(', ')}.`);
  }

  optionalText(field: string): string | undefined {
    return this.has(field) ? this.text(field) : undefined;
  }

  text(field: string): string {
    const value = this.fields[field];
    if (typeof value === 'string') return value;
    throw this.bad(field, value === undefined ? 'is missing' : `is ${shown(value)}, not a text`);
  }

  /** A text with more than white space in it. */
  words(field: string): string {
    const text = this.text(field);
    if (strip(text) !== '') return text;
    throw this.bad(field, 'has no text', 'Write something that the model can go on from.');
  }

  /** One text, or a list of them: never empty, and none of them empty. */
  texts(field: string): readonly string[] {
    const value = this.fields[field];
    if (value === undefined) throw this.bad(field, 'is missing');
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const good = list.length > 0 && list.every((each) => typeof each === 'string' && each !== '');
    if (good) return list as readonly string[];
    throw this.bad(field, `is ${shown(value)}, not a text or a list of texts`);
  }

  flag(field: string): boolean {
    const value = this.fields[field] ?? false;
    if (typeof value === 'boolean') return value;
    throw this.bad(field, `is ${shown(value)}, not true or false`);
  }

  oneOf<T extends string>(field: string, words: readonly T[]): T | undefined {
    const value = this.fields[field];
    if (value === undefined) return undefined;
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw this.bad(field, `is ${shown(value)}, not one of ${words.join(', ')}`);
  }

  /** @param usual when it is missing */
  whole(field: string, most: number, usual: number): number {
    const value = this.fields[field] ?? usual;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw this.bad(field, `is ${shown(value)}, not a number from 1 to ${most}`);
  }

  bad(field: string, why: string, action = 'Correct it.'): UserError {
    const where = this.place === undefined ? field : `${this.place}.${field}`;
    return badData(this.file, `"${where}" ${why}`, action);
  }
}

const shown = (value: unknown): string => printable(JSON.stringify(value), 60);

export const isWritten = (item: OwnFields): boolean => item.has('prompt') && !item.has('choices');

/**
 * A question with choices.
 * @param delimiter of the file: what stands between context and choice @throws UserError
 */
export function ownChoiceItem(fields: OwnFields, item: number, delimiter?: string): ChoiceItem {
  fields.only(CHOICE_FIELDS);
  const context = fields.words('context');
  const choices = fields.texts('choices');
  if (choices.length < 2 || choices.length > MAX_CHOICES) {
    throw fields.bad('choices', `has ${counted(choices.length, 'text')}, not 2 to ${MAX_CHOICES}`);
  }
  const twice = choices.find((choice, i) => choices.indexOf(choice) !== i);
  if (twice !== undefined) throw fields.bad('choices', `has ${shown(twice)} twice`);
  const between = fields.optionalText('delimiter') ?? delimiter ?? (endsInSpace(context) ? '' : ' ');
  return { item, choices: choicesOf(context, choices, between), gold: goldOf(fields, choices) };
}

function goldOf(fields: OwnFields, choices: readonly string[]): number {
  const answer = fields.value('answer');
  if (answer === undefined) throw fields.bad('answer', 'is missing');
  const gold = typeof answer === 'string' ? choices.indexOf(answer) : answer;
  if (typeof gold === 'number' && Number.isInteger(gold) && gold >= 0 && gold < choices.length) return gold;
  const why = `is ${shown(answer)}, which is no choice and no number from 0 to ${choices.length - 1}`;
  throw fields.bad('answer', why, 'Give the right choice’s text, or its number from 0.');
}

/** A question with a written answer. @throws UserError */
export function ownWrittenItem(fields: OwnFields, item: number): WrittenItem {
  fields.only(WRITTEN_FIELDS);
  const match = fields.oneOf('match', MATCHES) ?? 'exact';
  const ignoreCase = fields.flag('ignoreCase');
  const expected = fields.texts('expected');
  for (const each of expected) checkExpected(fields, each, match, ignoreCase);
  return {
    item,
    prompt: fields.words('prompt'),
    expected,
    match,
    ignoreCase,
    until: fields.has('until') ? fields.texts('until') : usualEnd(match, expected),
    maxTokens: fields.whole('maxTokens', MAX_ANSWER_TOKENS, DEFAULT_ANSWER_TOKENS),
  };
}

function checkExpected(fields: OwnFields, expected: string, match: Match, ignoreCase: boolean): void {
  if (expected.length > MAX_EXPECTED_LENGTH) {
    throw fields.bad('expected', `has ${expected.length} characters, more than ${MAX_EXPECTED_LENGTH}`);
  }
  if (match !== 'regex') {
    if (expected.trim() === '') throw fields.bad('expected', 'is white space only');
    return;
  }
  try {
    new RegExp(...regexOf(expected, ignoreCase));
  } catch (error) {
    throw fields.bad('expected', `is no regular expression of JavaScript (${printable(messageOf(error), 160)})`);
  }
}

/** Base models go on writing after an answer: an exact one ends with its line, unless lines are expected. */
const usualEnd = (match: Match, expected: readonly string[]): readonly string[] =>
  match === 'exact' && !expected.some((each) => each.trim().includes('\n')) ? ['\n'] : [];
