/**
 * Makes the record of a whole run from the records of its parts: the one that a single process would have written, to the
 * last bit of its numbers. What it makes depends on the parts alone, so two gathers of the same parts write the same file.
 */
import { lstat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CancelledError, UserError } from '../../engine/errors';
import { option } from '../../engine/option-token';
import { partText } from '../../engine/parts/part';
import { readTextFile } from '../../engine/files/text-file';
import { TableFault } from '../../engine/parts/table';
import { type RunRecord, recordText, writeRecord } from '../../engine/records/record';
import { isObject } from '../../format/json';
import { numberRanges } from '../../format/ranges';
import { counted } from '../../format/words';
import type { AnyJob } from '../define';
import { JOBS } from '../definitions';
import { changePaths } from '../option-paths';
import { cutJob } from './index';
import { type CutKind, type PartRecord, readPart } from './part-record';
import { requireSameRun } from './same-run';

/** A gathered run. */
export interface GatheredRun {
  readonly kind: CutKind;
  readonly parts: number;
  /** Names of the models. */
  readonly models: readonly string[];
  /** Of all parts together, and of the one that took longest. */
  readonly seconds: { readonly all: number; readonly slowest: number };
  /** What `--json` of one process prints. */
  readonly result: object;
  readonly record: RunRecord;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Reads and joins all parts.
 * @param files in any order
 * @param folder of the record that is made: its paths are relative to it
 * @throws UserError for a file that is no part, parts of several runs, a part twice with other numbers, or missing parts
 */
export async function gatherParts(
  files: readonly string[],
  folder: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<GatheredRun> {
  const read: PartRecord[] = [];
  for (const file of files) {
    if (signal?.aborted) throw new CancelledError();
    read.push(await readPart(file));
    requireSameRun(read[0], read.at(-1)!);
  }
  const { parts, notes } = onceEach(read);
  requireAll(parts);
  const warnings = [...new Set(parts.flatMap(({ results }) => results.warnings))];
  const { results: first, record } = parts[0];
  const kind = first.part.job;
  const machines = [...new Set(parts.map(({ results }) => results.processor))];
  if (machines.length > 1) {
    notes.push(
      `the parts are of ${counted(machines.length, 'kind')} of processors, whose last bits may differ: ${machines.join('; ')}`,
    );
  }
  const device = isObject(record.device) ? (record.device as { readonly provider: string }) : undefined;
  const seconds = parts.reduce((sum, { results }) => sum + results.seconds, 0);
  const gathered = {
    frame: first.frame,
    data: parts.map(({ results }) => results.data),
    path: first.path,
    device,
    precision: record.precision,
    seconds,
    times: parts.flatMap(({ results }) => (results.times ? [results.times] : [])),
    peakRssBytes: Math.max(...parts.map(({ results }) => results.peakRssBytes)),
    fit: first.fit,
  };
  const finished = await finish(kind, gathered, parts[0].file);
  return {
    kind,
    parts: parts.length,
    models: record.inputs.filter(({ role }) => role === 'model').map(({ name }) => name),
    seconds: { all: seconds, slowest: Math.max(...parts.map(({ results }) => results.seconds)) },
    result: finished.result,
    record: wholeRecord(kind, parts, finished.results ?? finished.result, folder),
    notes,
    warnings: [...new Set([...warnings, ...finished.warnings])],
  };
}

async function finish(kind: CutKind, gathered: Parameters<ReturnType<typeof cutJob>['finish']>[0], file: string) {
  try {
    return await cutJob(kind).finish(gathered);
  } catch (error) {
    // A table with holes, or a frame that is none: someone changed the files.
    if (!(error instanceof TableFault || error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new UserError(
      `The parts of ${file} cannot be joined`,
      `their numbers do not fit together (${error.message})`,
      'Run the parts again.',
      { cause: error },
    );
  }
}

/**
 * Each part once, in order. The same part twice with the same numbers counts once: that of the earlier text, so that the
 * order of the files does not matter.
 */
function onceEach(read: readonly PartRecord[]): { parts: PartRecord[]; notes: string[] } {
  const byNumber = new Map<number, PartRecord>();
  const notes: string[] = [];
  for (const part of read) {
    const { number } = part.results.part;
    const other = byNumber.get(number);
    if (!other) byNumber.set(number, part);
    else if (isDeepStrictEqual(other.results.data, part.results.data)) {
      notes.push(`${part.file} is the same part as ${other.file}, with the same numbers: it counts once`);
      if (recordText(part.record) < recordText(other.record)) byNumber.set(number, part);
    } else {
      throw new UserError(
        `${part.file} and ${other.file} are the same part with different numbers`,
        `both are part ${partText(part.results.part)} of the run`,
        'Give one of them. If you do not know which one is right, run that part again.',
      );
    }
  }
  const parts = [...byNumber.values()].sort((a, b) => a.results.part.number - b.results.part.number);
  return { parts, notes };
}

function requireAll(parts: readonly PartRecord[]): void {
  const { of } = parts[0].results.part;
  const there = new Set(parts.map(({ results }) => results.part.number));
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((number) => !there.has(number));
  if (missing.length === 0) return;
  throw new UserError(
    `The run is not complete`,
    `${missing.length === 1 ? 'part' : 'parts'} ${numberRanges(missing)} of ${of} ${missing.length === 1 ? 'is' : 'are'} missing`,
    `Run ${missing.length === 1 ? 'it' : 'them'} with the same options and ${option('part', partText({ number: missing[0], of }))}${missing.length === 1 ? '' : ' and so on'}, then gather again.`,
  );
}

/** The record of one process: its times are from the first start to the last end, by the clocks of the machines. */
function wholeRecord(kind: CutKind, parts: readonly PartRecord[], results: object, folder: string): RunRecord {
  const { record, file } = parts[0];
  const from = dirname(resolve(file));
  const dates = parts.flatMap(({ record: each }) => [each.started, each.finished]).map((date) => Date.parse(date));
  const notes = [...new Set(parts.flatMap(({ record: each }) => each.notes ?? []))];
  const place = (path: string): string => (isAbsolute(path) ? path : relative(folder, resolve(from, path)) || '.');
  const { options } = record;
  const { options: known }: AnyJob = JOBS[kind];
  const moved = Object.entries(options ?? {}).map(([name, value]): [string, unknown] => [
    name,
    Object.hasOwn(known, name) ? changePaths(known[name].kind, value, place) : value,
  ]);
  const { schema, settings, seed, device, precision, versions } = record;
  return {
    schema,
    kind,
    inputs: record.inputs.map((input) => (input.place === undefined ? input : { ...input, place: place(input.place) })),
    settings,
    ...(options && { options: Object.fromEntries(moved) }),
    seed,
    device,
    ...(precision && { precision }),
    versions,
    results: { ...results },
    ...(notes.length > 0 && { notes }),
    started: new Date(Math.min(...dates)).toISOString(),
    finished: new Date(Math.max(...dates)).toISOString(),
  };
}

/**
 * Writes the record, which is complete or not there.
 * @returns false if the file is there already with the same contents: another gather wrote it
 * @throws UserError when another file is there, or it cannot be written
 */
export async function writeGathered(out: string, record: RunRecord): Promise<boolean> {
  const there = await lstat(out).catch(() => undefined);
  if (there) {
    const text = recordText(record);
    const same =
      there.isFile() &&
      there.size === Buffer.byteLength(text) &&
      (await readTextFile(out, there.size, '')).text === text;
    if (same) return false;
    throw new UserError(
      `${out} exists already`,
      'it is not the record of these parts, and Coppice never overwrites',
      'Name another file, or remove that one.',
    );
  }
  await writeRecord(out, record);
  return true;
}
