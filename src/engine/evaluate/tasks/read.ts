/** Reads the questions of one of the seven tasks from the data set's file (evaluation.md has their texts). */
import { basename, extname } from 'node:path';
import { counted } from '../../../format/words';
import { OptionError, throwIfCancelled } from '../../errors';
import { readTextFile } from '../../files/text-file';
import { MAX_TASK_BYTES } from '../../formats/limits';
import { option } from '../../option-token';
import { announce, type JobOptions } from '../../progress';
import { fileInput } from '../../records/details';
import type { RunInput } from '../../records/record';
import { TASKS, type TaskName } from './catalogue';
import { findTask, type TaskFiles } from './find';
import type { ChoiceItem, Task } from './item';
import { badData, parseRecords, type TaskRecord } from './records';
import { boolqItem, hasLostTitles } from './sets/boolq';
import { hellaswagItem, hellaswagLines } from './sets/hellaswag';
import { piqaItem, piqaLabels } from './sets/piqa';
import { arcItem, openbookqaItem } from './sets/questions';
import { winograndeItem } from './sets/winogrande';

/** The records to take. */
export interface Range {
  /** Number of the first record, from 0. */
  readonly from?: number;
  /** Records to take; all when undefined. */
  readonly limit?: number;
}

/** A task as it was read. */
export interface TaskFromFile extends Task {
  /** Files that were read, for the record. */
  readonly inputs: readonly RunInput[];
  /** Warnings about the file for the user. */
  readonly warnings: readonly string[];
}

const CAP_REASON = 'The largest of the seven tasks has 12 MB: check that it is the right file.';

/**
 * Reads the task `name` from the data sets in `folder`.
 * @throws UserError when the file is missing, or holds what is no question of this task; CancelledError
 */
export async function readTask(
  name: TaskName,
  folder: string,
  range: Range = {},
  job: JobOptions = {},
): Promise<TaskFromFile> {
  const { title, reported, normalised } = TASKS[name];
  const files = await findTask(name, folder);
  announce(job, `reading ${basename(files.file)}`);
  const { text, sha256 } = await readTextFile(files.file, MAX_TASK_BYTES, CAP_REASON);
  throwIfCancelled(job.signal);
  const { records, inputs = [], warnings = [] } = await recordsOf(name, text, files);
  return {
    name,
    title,
    file: basename(files.file),
    reported,
    normalised,
    choiceItems: inRange(records, range, files.file).map((itemOf) => itemOf()),
    writtenItems: [],
    inputs: [fileInput('task', files.file, sha256), ...inputs],
    warnings,
  };
}

/** The records from `from` on, `limit` at most. @throws OptionError when there are none */
export function inRange<T>(records: readonly T[], { from = 0, limit = Infinity }: Range, file: string): readonly T[] {
  const some = records.slice(from, from + limit);
  if (some.length > 0) return some;
  throw new OptionError(
    `${file} has no record ${from}`,
    `it has ${counted(records.length, 'record')}, numbered from 0`,
    `Lower ${option('from')}.`,
  );
}

interface Records {
  /** Only those that the range takes are made into items. */
  readonly records: readonly (() => ChoiceItem)[];
  readonly inputs?: readonly RunInput[];
  readonly warnings?: readonly string[];
}

async function recordsOf(name: TaskName, text: string, { file, labels }: TaskFiles): Promise<Records> {
  if (extname(file).toLowerCase() === '.txt') return { records: hellaswagLines(text, file) };
  const records = parseRecords(text, file);
  const each = (itemOf: (record: TaskRecord) => ChoiceItem): Records => ({
    records: records.map((record) => () => itemOf(record)),
  });
  switch (name) {
    case 'boolq':
      return { ...each(boolqItem), warnings: records.some(hasLostTitles) ? [lostTitles(file)] : [] };
    case 'piqa':
      return records[0].has('label')
        ? each((record) => piqaItem(record, undefined))
        : withLabels(records, file, labels);
    case 'hellaswag':
      return each(hellaswagItem);
    case 'winogrande':
      return each(winograndeItem);
    case 'arc_easy':
    case 'arc_challenge':
      return each(arcItem);
    case 'openbookqa':
      return each(openbookqaItem);
  }
}

const lostTitles = (file: string): string =>
  `the passages of ${basename(file)} have lost their titles, which the harness’s texts begin with: accuracies differ a little`;

async function withLabels(records: readonly TaskRecord[], file: string, labelFile?: string): Promise<Records> {
  if (labelFile === undefined) {
    const why = 'its records have no "label", and there is no file of labels beside it';
    throw badData(file, why, 'Put valid-labels.lst (or piqa_valid-labels.lst) beside it.');
  }
  const { text, sha256 } = await readTextFile(labelFile, MAX_TASK_BYTES, CAP_REASON);
  const labels = piqaLabels(text, labelFile, records.length);
  return {
    records: records.map((record) => () => piqaItem(record, labels[record.item])),
    inputs: [fileInput('labels', labelFile, sha256)],
  };
}
