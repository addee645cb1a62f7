/**
 * A file that keeps answers as they are found, one a line, so that a run that was stopped goes on where it was. An
 * answer belongs to a model, a task's file and an item; a run takes what it asks for and ignores the rest.
 */
import { createHash } from 'node:crypto';
import { appendFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isObject } from '../../../format/json';
import type { ItemResult } from './results';
import { UserError } from '../../errors';
import { readTextFile } from '../../files/text-file';
import { option } from '../../option-token';
import type { Part } from '../../parts/part';
import { cannotWrite } from '../../system-failure';

const MAX_BYTES = 512 * 2 ** 20;
const HEADER = '{"coppice":"answers","schema":1}';

export class KeptAnswers {
  private readonly known = new Map<string, ItemResult>();

  private constructor(private readonly file: string) {}

  /**
   * @param file is made if it is not there
   * @param others whose answers are known too; nothing is added to them, and one that is not there is left out
   * @throws UserError when it cannot be read or written, or is another kind of file
   */
  static async open(file: string, others: readonly string[] = []): Promise<KeptAnswers> {
    const kept = new KeptAnswers(file);
    for (const other of others) if (await hasText(other)) await kept.read(other);
    if (await hasText(file)) {
      // The next answer begins on a line of its own.
      if (!(await kept.read(file))) await written(file, () => appendFile(file, '\n'));
    } else await written(file, () => appendFile(file, `${HEADER}\n`)); // never cuts what another process wrote
    return kept;
  }

  get size(): number {
    return this.known.size;
  }

  /** @param key of the model and the task, from `answersKey` */
  get(key: string, item: number): ItemResult | undefined {
    return this.known.get(`${key} ${item}`);
  }

  /** Adds answers to the file. @throws UserError when it cannot be written */
  async add(answers: readonly { readonly key: string; readonly result: ItemResult }[]): Promise<void> {
    if (answers.length === 0) return;
    const lines = answers.map((answer) => `${ascii(JSON.stringify(answer))}\n`);
    await written(this.file, () => appendFile(this.file, lines.join('')));
    for (const { key, result } of answers) this.known.set(`${key} ${result.item}`, result);
  }

  /** @returns whether its last line is complete */
  private async read(file: string): Promise<boolean> {
    const { text } = await readTextFile(file, MAX_BYTES, 'Name another file, or delete this one.');
    const [header, ...lines] = text.split('\n');
    if (header !== HEADER) {
      throw new UserError(
        `${basename(file)} does not keep answers`,
        'its first line is not that of a file in which Coppice keeps them',
        `Name another file (${option('answers', 'FILE')}); this one is left as it is.`,
      );
    }
    for (const line of lines) {
      const answer = parsed(line); // a line that a killed process wrote half is no answer
      if (answer) this.known.set(`${answer.key} ${answer.result.item}`, answer.result);
    }
    return text.endsWith('\n');
  }
}

/**
 * The file in which a part keeps its answers. Parts run at the same time on machines that do not know of each other, so each
 * has a file of its own, and the same command line does for all of them.
 */
export const answersOfPart = (file: string, { number, of }: Part): string => `${file}.part-${number}-of-${of}`;

const hasText = (file: string): Promise<boolean> =>
  stat(file).then(
    ({ size }) => size > 0,
    () => false,
  );

/** Names a model's answers to a task: everything that they depend on. */
export const answersKey = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);

/** JSON without characters of several bytes: a line that a killed process cut is still text. */
const ascii = (json: string): string =>
  json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

function parsed(line: string): { readonly key: string; readonly result: ItemResult } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value) || typeof value.key !== 'string' || !isResult(value.result)) return undefined;
  return { key: value.key, result: value.result };
}

/** Whether a JSON value is an answer to a question. */
export function isResult(value: unknown): value is ItemResult {
  if (!isObject(value) || !Number.isSafeInteger(value.item)) return false;
  if (typeof value.text === 'string') {
    return typeof value.correct === 'boolean' && (value.fresh === undefined || typeof value.fresh === 'number');
  }
  return Number.isSafeInteger(value.gold) && Array.isArray(value.choices) && value.choices.every(isChoice);
}

const isChoice = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.greedy === 'boolean' &&
  [value.loglik, value.tokens, value.characters].every((each) => typeof each === 'number');

async function written(file: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw cannotWrite(file, error);
  }
}
