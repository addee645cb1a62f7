/**
 * A task of the user's own: a JSON file of questions with choices and of questions with written answers. The format is
 * in media/coppice-tasks.schema.json, which VS Code checks files named `*.coppice-tasks.json` with.
 */
import { basename } from 'node:path';
import { isObject, type JsonObject } from '../../../format/json';
import { throwIfCancelled } from '../../errors';
import { readTextFile } from '../../files/text-file';
import { JsonProblem, parseBoundedJson, printable } from '../../formats/bounded-json';
import { MAX_TASK_BYTES } from '../../formats/limits';
import { announce, type JobOptions } from '../../progress';
import { fileInput } from '../../records/details';
import { isTaskName } from './catalogue';
import type { Metric } from './item';
import { isWritten, OwnFields, ownChoiceItem, ownWrittenItem } from './own-item';
import { inRange, type Range, type TaskFromFile } from './read';
import { badData } from './records';

/** Fields of the file; the schema has the same. */
export const FILE_FIELDS = ['$schema', 'name', 'title', 'note', 'reported', 'delimiter', 'items'] as const;

const METRICS: readonly Metric[] = ['acc', 'accNorm'];
const LIMITS = { depth: 6, keyLength: 200, members: 100, items: 1_000_000, uniqueKeys: true };
const CAP_REASON = 'Divide it into several files.';
const ACTION = 'Give {"items": [{"context", "choices", "answer"} or {"prompt", "expected"}, …]}.';
const MAX_NAME = 80;

/**
 * Reads the task in `file`.
 * @throws UserError naming item and field; CancelledError
 */
export async function readOwnTask(file: string, range: Range = {}, job: JobOptions = {}): Promise<TaskFromFile> {
  announce(job, `reading ${basename(file)}`);
  const { text, sha256 } = await readTextFile(file, MAX_TASK_BYTES, CAP_REASON);
  throwIfCancelled(job.signal);
  const { head, items } = contentOf(text, file);
  head.only(FILE_FIELDS);
  const name = head.optionalText('name') ?? basename(file).replace(/(\.coppice-tasks|\.tasks)?\.json$/i, '');
  checkName(name, file);
  const reported = head.oneOf('reported', METRICS) ?? 'acc';
  const delimiter = head.optionalText('delimiter');
  const all = items.map((item, i) => new OwnFields(file, `items[${i}]`, item));
  const written = all.findIndex(isWritten);
  if (reported === 'accNorm' && written >= 0) {
    throw head.bad('reported', `is "accNorm", and items[${written}] has no choices`, 'Report "acc".');
  }
  const some = inRange([...all.entries()], range, file);
  return {
    name,
    title: head.optionalText('title') ?? name,
    file: basename(file),
    reported,
    normalised: written < 0,
    choiceItems: some.flatMap(([i, item]) => (isWritten(item) ? [] : [ownChoiceItem(item, i, delimiter)])),
    writtenItems: some.flatMap(([i, item]) => (isWritten(item) ? [ownWrittenItem(item, i)] : [])),
    inputs: [fileInput('task', file, sha256)],
    warnings: [],
  };
}

/** The file's own fields, and its items. A bare list has only items. */
function contentOf(text: string, file: string): { head: OwnFields; items: readonly JsonObject[] } {
  let json: unknown;
  try {
    json = parseBoundedJson(Buffer.from(text), LIMITS);
  } catch (error) {
    if (error instanceof JsonProblem) throw badData(file, error.message, ACTION, error);
    throw error;
  }
  const content = Array.isArray(json) ? { items: json as unknown[] } : json;
  if (!isObject(content)) throw badData(file, 'it is neither an object nor a list', ACTION);
  const head = new OwnFields(file, undefined, content);
  const { items } = content;
  if (!Array.isArray(items)) throw head.bad('items', items === undefined ? 'is missing' : 'is not a list', ACTION);
  if (items.length === 0) throw head.bad('items', 'is empty', ACTION);
  const stranger = items.findIndex((item) => !isObject(item));
  if (stranger >= 0) throw head.bad(`items[${stranger}]`, 'is not an object', ACTION);
  return { head, items: items as JsonObject[] };
}

function checkName(name: string, file: string): void {
  const shown = printable(JSON.stringify(name), MAX_NAME);
  const action = 'Give the file another "name".';
  if (isTaskName(name)) throw badData(file, `its name ${shown} is that of a data set`, action);
  if (name.trim() === '' || name.length > MAX_NAME || printable(name, MAX_NAME) !== name) {
    throw badData(
      file,
      `its name ${shown} is empty, longer than ${MAX_NAME} characters, or has control characters`,
      action,
    );
  }
}

/** Results tell tasks apart by their names. @throws UserError */
export function requireOwnNames(tasks: readonly Pick<TaskFromFile, 'name' | 'file'>[]): void {
  for (const [i, { name, file }] of tasks.entries()) {
    const first = tasks.findIndex((each) => each.name === name);
    if (first === i) continue;
    throw badData(
      file,
      `its name ${JSON.stringify(name)} is that of ${tasks[first].file} too`,
      'Give one another "name".',
    );
  }
}
