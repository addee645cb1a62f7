/**
 * Reads an application's text and splits it once: calibration, healing, training and judging each have records that the others do not
 * see. What is in which split follows from the records alone (split.ts).
 */
import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { option } from '../option-token';
import { SPLIT_PARTS, splitIn, TEXT_SPLITS, type TextShare, type TextSplit } from '../../format/text-share';
import { counted } from '../../format/words';
import { throwIfCancelled, UserError } from '../errors';
import { hashFile } from '../files/regular-file';
import { readTextFile } from '../files/text-file';
import type { JobOptions } from '../progress';
import { type ApplicationFile, findFiles, type LeftOut } from './files';
import { noRecord, recordsOf } from './parse';
import type { ApplicationRecord } from './record';
import { splitOfRecord } from './split';
import { stretchesOf } from './stretches';

/** A record of a split, and its place for messages: "chats/monday.jsonl, line 3". */
export interface SplitRecord {
  readonly place: string;
  readonly record: ApplicationRecord;
}

export interface Application {
  /** Name of the file or folder, without the folder that it is in. */
  readonly name: string;
  /** SHA-256 (hex): of the file's bytes, or of the hashes of a folder's files in their order. */
  readonly sha256: string;
  readonly splits: Readonly<Record<TextSplit, readonly SplitRecord[]>>;
  /** Files that were read. */
  readonly files: number;
  /** Files of the folder that were not. */
  readonly leftOut: readonly LeftOut[];
}

/** Of a file. JavaScript strings have at most 512 MiB. */
const FILE_CAP = 64 * 2 ** 20;
const ALL_CAP = 256 * 2 ** 20;
const CAP_REASON = 'Take a part of it: a few MB are enough for all four splits.';

/**
 * @param path of a file or a folder
 * @throws UserError naming what cannot be read: the file, and the line or record in it; CancelledError
 */
export async function readApplication(path: string, { signal }: JobOptions = {}): Promise<Application> {
  const found = await findFiles(path, signal);
  const leftOut = [...found.leftOut];
  const hashes: string[] = [];
  const splits: Record<TextSplit, SplitRecord[]> = { calibration: [], healing: [], training: [], judging: [] };
  let bytes = 0;
  for (const file of found.files) {
    throwIfCancelled(signal);
    const read = await readOne(file);
    if (typeof read === 'string') {
      leftOut.push({ name: file.name, why: read });
      continue;
    }
    bytes += read.bytes;
    if (bytes > ALL_CAP) throw tooLarge(path);
    hashes.push(read.sha256);
    for (const { place, record } of read.records) addTo(splits, `${file.name}, ${place}`, record);
  }
  if (hashes.length === 0) throw noText(path, leftOut);
  const isFile = found.files.length === 1 && found.files[0].isNamed;
  const sha256 = isFile ? hashes[0] : createHash('sha256').update(hashes.join('\n')).digest('hex');
  return { name: basename(resolve(path)), sha256, splits, files: hashes.length, leftOut };
}

/** Documents are cut, records are not. */
function addTo(splits: Record<TextSplit, SplitRecord[]>, place: string, record: ApplicationRecord): void {
  if (record.kind !== 'document') {
    splits[splitOfRecord(record)].push({ place, record });
    return;
  }
  for (const { split, text } of stretchesOf(record.text))
    splits[split].push({ place, record: { kind: 'document', text } });
}

/** A file with its records, or why it is left out. @throws UserError where it must not be */
async function readOne(file: ApplicationFile) {
  const read = await readTextFile(file.path, FILE_CAP, CAP_REASON).catch((error: unknown) => {
    if (!file.isNamed && error instanceof UserError && error.why.includes('UTF-8')) return undefined;
    throw error;
  });
  const records = read === undefined ? 'it is not text' : recordsOf(read.text, file);
  if (typeof records !== 'string') return { records, sha256: read!.sha256, bytes: read!.bytes };
  if (file.isNamed) throw noRecord(file, records);
  return records;
}

const tooLarge = (path: string): UserError =>
  new UserError(
    `Cannot read the application’s text ${path}`,
    `it has more than ${ALL_CAP / 2 ** 20} MiB of text`,
    CAP_REASON,
  );

const noText = (path: string, leftOut: readonly LeftOut[]): UserError =>
  new UserError(
    `The application’s text ${path} has no records`,
    leftOut.length === 0 ? 'the folder has no files' : leftOutWords(leftOut),
    'Put texts there: chats as JSONL, prompts one a line, or documents (.txt, .md, .jsonl, .json).',
  );

const NAMED = 5;

/** "3 files are left out: a.png (it is of another type), …" */
export function leftOutWords(leftOut: readonly LeftOut[]): string {
  const named = leftOut.slice(0, NAMED).map(({ name, why }) => `${name} (${why})`);
  const more = leftOut.length > NAMED ? `, and ${leftOut.length - NAMED} more` : '';
  return `${counted(leftOut.length, 'file')} left out: ${named.join(', ')}${more}`;
}

/** "12 records: 3 for calibration, 2 for healing, 5 for training, 2 for judging" */
export function splitWords({ splits }: Pick<Application, 'splits'>): string {
  const all = TEXT_SPLITS.reduce((sum, split) => sum + splits[split].length, 0);
  return `${counted(all, 'record')}: ${TEXT_SPLITS.map((split) => `${splits[split].length} for ${split}`).join(', ')}`;
}

/**
 * Runs what makes rows of a split. Its errors, such as that there is too little text, say how many records there are.
 * @throws what `use` throws
 */
export async function telling<T>(application: Application, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { what, why, action } = error.texts;
    throw new UserError(what, `${why}; ${application.name} has ${splitWords(application)}`, action, { cause: error });
  }
}

/** What to give in place of a split that has too little. */
const IN_PLACE: Readonly<Record<TextSplit, string>> = {
  calibration: option('calibration', 'FILE'),
  healing: option('data', 'FILE'),
  training: option('data', 'FILE'),
  judging: option('text', 'FILE'),
};

/**
 * The records of a split.
 * @throws UserError where it has none
 */
export function recordsIn(application: Application, split: TextSplit): readonly SplitRecord[] {
  const records = application.splits[split];
  if (records.length > 0) return records;
  throw new UserError(
    `The application’s text ${application.name} has no rows for ${split}`,
    `it has ${splitWords(application)}`,
    `Add records: ${split} gets about ${Math.round(100 * SPLIT_PARTS[split])} % of them. Or give that text alone with ${IN_PLACE[split]}.`,
  );
}

/** SHA-256 (hex) by which a record names a text: of a file, or of an application's text where the share is a split of it. */
export const hashText = async (path: string, share: TextShare | undefined, job: JobOptions = {}): Promise<string> =>
  splitIn(share) === undefined ? hashFile(path, undefined, job) : (await readApplication(path, job)).sha256;
