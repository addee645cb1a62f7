/**
 * What the files of parts say, without reading their numbers: a record can have 64 MB, and a run ten thousand. A record is
 * renamed into place when it is whole, so its first and last bytes tell what it is.
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import { namesIn } from '../engine/files/names';
import { temporaryName } from '../engine/files/partial';
import { readSmallFile, RegularFile, withFile } from '../engine/files/regular-file';
import { writeWhole } from '../engine/files/whole-file';
import type { Part } from '../engine/parts/part';
import { isObject } from '../format/json';
import { type CutKind, isCutKind, readPart } from '../jobs/parts/part-record';
import type { PartProgress } from '../jobs/parts/progress-file';

export type PartName = Part & { readonly job: CutKind };

/** A partial record. */
export interface FoundRecord {
  readonly file: string;
  /** What it is; undefined if it is none. */
  readonly part?: PartName;
  /** Why it is none. */
  readonly fault?: string;
}

/** A part that runs, or did not end well. */
export interface FoundProgress extends Pick<PartProgress, 'part' | 'state' | 'progress' | 'error'> {
  readonly file: string;
  readonly host?: string;
  /** Seconds since it was written, by the clock of the file server: clocks of machines may differ, and jump. */
  readonly age: number;
}

export interface PartFiles {
  readonly records: readonly FoundRecord[];
  readonly progress: readonly FoundProgress[];
}

/**
 * The partial records and the files of progress in a folder.
 * @param isPart tells names of records
 * @returns nothing where the folder is missing
 */
export async function partFilesOf(folder: string, isPart: (name: string) => boolean): Promise<PartFiles> {
  const now = await clockOf(folder);
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.'));
  const records = await inTurns(names.filter(isPart), (name) => recordAt(join(folder, name)));
  const beside = names.filter((name) => name.endsWith(PROGRESS) && isPart(name.slice(0, -PROGRESS.length)));
  const progress = await inTurns(beside, (name) => progressAt(join(folder, name), now));
  return {
    records: records.filter((found) => found !== undefined),
    progress: progress.filter((found) => found !== undefined),
  };
}

const PROGRESS = '.progress';

/**
 * Now, in the time of the disk that the folder is on: that of a file written at this moment. Writing also makes a network
 * disk look again at what is in the folder. Where nothing can be written, the time of this machine.
 */
export async function clockOf(folder: string): Promise<number> {
  const file = join(folder, temporaryName('clock'));
  try {
    await writeWhole(file, '');
    return (await stat(file)).mtimeMs;
  } catch {
    return Date.now();
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/** Opens not too many files at once. */
async function inTurns<T, R>(items: readonly T[], use: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += 32) results.push(...(await Promise.all(items.slice(at, at + 32).map(use))));
  return results;
}

/** Records that were looked into, by path: who asks every few seconds reads each once. */
const known = new Map<string, { readonly stamp: string; readonly found: FoundRecord }>();
const MOST_KNOWN = 50_000;

async function recordAt(file: string): Promise<FoundRecord | undefined> {
  const stats = await stat(file).catch(() => undefined);
  if (!stats) return undefined; // removed meanwhile
  const stamp = [stats.size, stats.mtimeMs, stats.ino].join(' ');
  const before = known.get(file);
  if (before?.stamp === stamp) return before.found;
  const found = await lookInto(file);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(file, { stamp, found });
  return found;
}

async function lookInto(file: string): Promise<FoundRecord> {
  try {
    const ends = await withFile(file, endsOf, file);
    const part = partIn(ends.head);
    if (part && isRecord(ends)) return { file, part };
    // Written by something else, or broken: the whole file tells.
    return { file, part: (await readPart(file)).results.part };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { file, fault: error.why };
  }
}

const HEAD = 64 * 1024;
const TAIL = 256;

interface Ends {
  readonly head: string;
  readonly tail: string;
}

async function endsOf(file: RegularFile): Promise<Ends> {
  const [first, last] = [Math.min(HEAD, file.bytes), Math.min(TAIL, file.bytes)];
  const head = await file.readRange(0, first);
  return { head: head.toString('utf8'), tail: (await file.readRange(file.bytes - last, last)).toString('utf8') };
}

const isRecord = ({ head, tail }: Ends, kind = 'part'): boolean =>
  head.startsWith(`{\n  "schema": 1,\n  "kind": "${kind}",\n`) && /\n {2}"finished": "[^"\n]+"\n\}\n$/.test(tail);

function partIn(head: string): PartName | undefined {
  const pattern =
    /\n {2}"results": \{\n {4}"part": \{\n {6}"job": "(\w+)",\n {6}"number": (\d+),\n {6}"of": (\d+)\n {4}\}/;
  const [, job, number, of] = pattern.exec(head) ?? [];
  return job !== undefined && isCutKind(job) ? { job, number: Number(number), of: Number(of) } : undefined;
}

/** Whether a file is the whole record of a run of this kind. */
export async function isRecordOf(kind: CutKind, file: string): Promise<boolean> {
  try {
    return isRecord(await withFile(file, endsOf, file), kind);
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

const MOST_PROGRESS = 256 * 1024;

async function progressAt(file: string, now: number): Promise<FoundProgress | undefined> {
  let value: unknown;
  let written: number;
  try {
    written = (await stat(file)).mtimeMs;
    value = JSON.parse((await readSmallFile(file, MOST_PROGRESS)).toString('utf8'));
  } catch (error) {
    if (error instanceof UserError || error instanceof SyntaxError || systemErrorCode(error) !== undefined)
      return undefined;
    throw error;
  }
  if (!isObject(value) || !isObject(value.part)) return undefined;
  const { part, state, progress, host, error } = value;
  const { job, number, of } = part as Record<string, unknown>;
  if (typeof job !== 'string' || !isCutKind(job) || typeof number !== 'number' || typeof of !== 'number')
    return undefined;
  if (state !== 'running' && state !== 'failed' && state !== 'cancelled') return undefined;
  return {
    file,
    part: { job, number, of },
    state,
    ...(isProgress(progress) && { progress }),
    ...(typeof host === 'string' && { host }),
    ...(isFailure(error) && { error }),
    age: Math.max(0, (now - written) / 1000),
  };
}

function isProgress(value: unknown): value is NonNullable<PartProgress['progress']> {
  if (!isObject(value)) return false;
  const { label, done, total } = value;
  return typeof label === 'string' && typeof done === 'number' && typeof total === 'number';
}

function isFailure(value: unknown): value is NonNullable<PartProgress['error']> {
  return isObject(value) && [value.what, value.why, value.action].every((text) => typeof text === 'string');
}

/** The end of a log, line by line; nothing where there is none. */
export async function lastLines(file: string): Promise<string[]> {
  try {
    const read = async (log: RegularFile): Promise<Buffer> => {
      const length = Math.min(4096, log.bytes);
      return log.readRange(log.bytes - length, length);
    };
    return (await withFile(file, read, file))
      .toString('utf8')
      .split(/\r?\n|\r/)
      .filter((line) => line.trim() !== '');
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
