/** Adds a task to a tasks.json and removes it again. The file keeps its comments, its indentation and all else as it is. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { applyEdits, type FormattingOptions, modify, parse, type ParseError, printParseErrorCode } from 'jsonc-parser';
import { UserError } from '../engine/errors';
import { isObject, type JsonObject } from '../format/json';

type Task = JsonObject & { readonly label: string };

const NEW = `{
  "version": "2.0.0",
  "tasks": []
}
`;

/**
 * @param text of the file; undefined or blank where there is none
 * @param file for messages
 * @throws UserError for a file that is not understood, or that has a task of this label
 */
export function withTask(text: string | undefined, task: Task, file: string): string {
  const before = text === undefined || text.trim() === '' ? NEW : text;
  const { tasks, whole } = tasksIn(before, file);
  if (labelled(tasks, task.label) >= 0) {
    throw new UserError(
      `${file} has a task “${task.label}” already`,
      'Coppice never overwrites',
      'Give it another name, or remove the other first.',
    );
  }
  const path = tasks === undefined ? ['tasks'] : ['tasks', tasks.length];
  const value = tasks === undefined ? [task] : task;
  const isNew = !('version' in whole);
  const added = applied(before, path, value);
  return isNew && tasks === undefined ? applied(added, ['version'], '2.0.0') : added;
}

/** @returns undefined where the task is not there, or is another one now */
export function withoutTask(text: string, task: Task, file: string): string | undefined {
  const { tasks } = tasksIn(text, file);
  const at = labelled(tasks, task.label);
  if (at < 0 || !isDeepStrictEqual(tasks?.[at], task)) return undefined;
  return applied(text, ['tasks', at], undefined);
}

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const labelled = (tasks: readonly unknown[] | undefined, label: string): number =>
  (tasks ?? []).findIndex((each) => isObject(each) && (each.label === label || each.taskName === label));

function tasksIn(text: string, file: string): { tasks: readonly unknown[] | undefined; whole: JsonObject } {
  const errors: ParseError[] = [];
  const whole: unknown = parse(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  if (errors.length > 0)
    throw strange(file, `it is not JSON: ${printParseErrorCode(errors[0].error)} at ${errors[0].offset}`);
  if (!isObject(whole)) throw strange(file, 'it is not an object');
  if (whole.tasks !== undefined && !Array.isArray(whole.tasks)) throw strange(file, 'its field tasks is not a list');
  return { tasks: whole.tasks as readonly unknown[] | undefined, whole };
}

const strange = (file: string, why: string): UserError =>
  new UserError(`${file} cannot be changed`, why, 'Correct the file, and run again.');

/** The offsets of a byte order mark and of what replaces it are the same. */
function applied(text: string, path: (string | number)[], value: unknown): string {
  const plain = text.replace(/^\uFEFF/, ' ');
  const changed = applyEdits(plain, modify(plain, path, value, { formattingOptions: formatOf(text) }));
  return text.startsWith('\uFEFF') ? `\uFEFF${changed.slice(1)}` : changed;
}

/** As the file has it. */
function formatOf(text: string): FormattingOptions {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  return { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol: text.includes('\r\n') ? '\r\n' : '\n' };
}
