/**
 * Adds a task to a tasks.json and removes it again. Not by a library's edits, which lay out the neighbours anew: only the new text goes
 * in, so comments, indentation and all else stay as they are.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  createScanner,
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { UserError } from '../engine/errors';
import { isObject, type JsonObject } from '../format/json';

type Task = JsonObject & { readonly label: string };

const NEW = '{\n  "version": "2.0.0",\n  "tasks": []\n}\n';

/**
 * @param text of the file; undefined or blank where there is none
 * @param file for messages
 * @throws UserError for a file that is not understood, or that has a task of this label
 */
export function withTask(text: string | undefined, task: Task, file: string): string {
  const before = text === undefined || text.trim() === '' ? NEW : text;
  const { root, tasks } = tasksIn(before, file);
  if (labelled(tasks, task.label) !== undefined) {
    throw new UserError(
      `${file} has a task “${task.label}” already`,
      'Coppice never overwrites',
      'Give it another name, or remove the other first.',
    );
  }
  const unit = /^([ \t]+)\S/m.exec(before)?.[1] ?? '  ';
  const json = (value: unknown): string => JSON.stringify(value, null, unit);
  if (tasks) return inserted(before, tasks, json(task), unit);
  const version = findNodeAtLocation(root, ['version']) ? '' : '"version": "2.0.0",\n';
  return inserted(before, root, `${version}"tasks": ${json([task])}`, unit);
}

/** @returns undefined where the task is not there, or is another one now */
export function withoutTask(text: string, task: Task, file: string): string | undefined {
  const { tasks } = tasksIn(text, file);
  const found = labelled(tasks, task.label);
  if (!tasks || !found || !isDeepStrictEqual(JSON.parse(JSON.stringify(getNodeValue(found))), task)) return undefined;
  const end = found.offset + found.length;
  const { comma } = behind(text, end);
  const start = text.slice(0, found.offset).trimEnd().length;
  const rest = text.slice(comma === undefined ? end : comma + 1);
  const children = tasks.children ?? [];
  const previous = children.at(children.indexOf(found) - 1);
  if (comma !== undefined || children.length === 1 || !previous) return text.slice(0, start) + rest;
  const before = behind(text, previous.offset + previous.length).comma!; // the last one: the comma before it goes too
  return text.slice(0, before) + text.slice(before + 1, start) + rest;
}

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const labelled = (tasks: Node | undefined, label: string): Node | undefined =>
  tasks?.children?.find((each) => {
    const value: unknown = getNodeValue(each);
    return isObject(value) && (value.label === label || value.taskName === label);
  });

function tasksIn(text: string, file: string): { readonly root: Node; readonly tasks: Node | undefined } {
  const errors: ParseError[] = [];
  const root = parseTree(plain(text), errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    throw strange(file, `it is not JSON: ${printParseErrorCode(errors[0].error)} at ${errors[0].offset}`);
  }
  if (root?.type !== 'object') throw strange(file, 'it is not an object');
  const tasks = findNodeAtLocation(root, ['tasks']);
  if (tasks && tasks.type !== 'array') throw strange(file, 'its field tasks is not a list');
  return { root, tasks };
}

const strange = (file: string, why: string): UserError =>
  new UserError(`${file} cannot be changed`, why, 'Correct the file, and run again.');

/** Without a byte order mark; offsets stay the same. */
const plain = (text: string): string => text.replace(/^\uFEFF/, ' ');

/** The text with one more child at the end of a list or an object. */
function inserted(text: string, parent: Node, child: string, unit: string): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const close = parent.offset + parent.length - 1;
  const last = parent.children?.at(-1);
  const outer = indentAt(text, parent.offset);
  const indent = (last && isFirstInLine(text, last.offset) ? indentAt(text, last.offset) : undefined) ?? outer + unit;
  const lines = child.split('\n').map((line) => indent + line);
  const end = last ? last.offset + last.length : parent.offset + 1;
  const comma = last && behind(text, end).comma === undefined ? ',' : '';
  const between = text.slice(end, close);
  const kept = between.trimEnd();
  const space = between.slice(kept.length);
  const closing = space.includes('\n') ? space : eol + outer;
  return text.slice(0, end) + comma + kept + eol + lines.join(eol) + closing + text.slice(close);
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;
const indentAt = (text: string, at: number): string =>
  /^\uFEFF?([ \t]*)/.exec(text.slice(lineStart(text, at), at))?.[1] ?? '';
const isFirstInLine = (text: string, at: number): boolean => text.slice(lineStart(text, at), at).trim() === '';

/** Where the comma behind a child is; undefined where it has none. */
function behind(text: string, end: number): { readonly comma?: number } {
  const scanner = createScanner(plain(text), true);
  scanner.setPosition(end);
  scanner.scan();
  const comma = scanner.getTokenOffset();
  return text[comma] === ',' ? { comma } : {};
}
