/**
 * The partial record of a part: a record of kind "part" with what was measured. A run of parts has one identity, which all
 * its parts agree in: job, number of parts, versions, inputs, settings and frame.
 */
import { isTextFit, type TextFit } from '../../format/text-fit';
import { UserError } from '../../engine/errors';
import { option } from '../../engine/option-token';
import { MAX_PARTS, type Part } from '../../engine/parts/part';
import type { Share } from '../../engine/parts/split';
import { PART_KIND } from '../../engine/records/part';
import { readRecordAs, type RunRecord } from '../../engine/records/record';
import { isObject } from '../../format/json';

/** Jobs whose parts run each by itself. */
const ALONE = ['score', 'eval', 'tasks', 'curve', 'experts'] as const;
/** Jobs whose parts go on together: they meet in a folder that all share. */
const SHARED = ['heal'] as const;

/** Jobs whose work can be cut. */
export const CUT_KINDS = [...ALONE, ...SHARED] as const;
export type CutKind = (typeof CUT_KINDS)[number];

export const isShared = (kind: CutKind): boolean => (SHARED as readonly CutKind[]).includes(kind);

export const isCutKind = (kind: string): kind is CutKind => (CUT_KINDS as readonly string[]).includes(kind);

/** Jobs whose parts need not meet: VS Code sends only these to a cluster. */
export const isCutAlone = (kind: string): boolean => isCutKind(kind) && !isShared(kind);

/** The results of a partial record. */
export interface PartResults {
  readonly part: Part & { readonly job: CutKind };
  /** What it computed; absent where parts are cut otherwise. */
  readonly share?: Share;
  /** The same in words. */
  readonly work: string;
  /** What the numbers mean: the same in all parts. */
  readonly frame: unknown;
  /** What was measured. */
  readonly data: unknown;
  /** Path of the checkpoint on the machine of the part. */
  readonly path: string;
  readonly seconds: number;
  /** Seconds of each model, where there are several. */
  readonly times?: readonly number[];
  readonly peakRssBytes: number;
  /** Where: processors may differ in the last bits. */
  readonly processor: string;
  readonly warnings: readonly string[];
  /** How well the whole model reads the text, which the first part looks at. */
  readonly fit?: TextFit;
}

/** A record of a part that was read. */
export interface PartRecord {
  readonly file: string;
  readonly record: RunRecord;
  readonly results: PartResults;
}

/** Losses of 5 000 rows without each of 320 modules, at 30 bytes a number with its line, are 48 MB; two measures of them 96. */
const MAX_PART_BYTES = 400 * 2 ** 20;

/** @throws UserError when the file is no partial record, or not a whole one */
export async function readPart(file: string): Promise<PartRecord> {
  const refuse = (why: string, cause?: unknown): UserError =>
    new UserError(
      `${file} is not a part`,
      why,
      `Give files that jobs wrote with ${option('part', '1/8')} and ${option('record')}, as they are.`,
      { cause },
    );
  const record = await readRecordAs(file, MAX_PART_BYTES, refuse);
  if (record.kind !== PART_KIND) throw refuse(`it is the record of a whole run (${record.kind})`);
  const fault = recordFault(record) ?? resultsFault(record.results);
  if (fault !== undefined) throw refuse(fault);
  return { file, record, results: record.results as unknown as PartResults };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

/** What readers of records take as it is. */
function recordFault({ inputs, notes, versions }: RunRecord): string | undefined {
  if (!isText(versions.coppice)) return 'versions.coppice is not a text';
  const misplaced = inputs.findIndex(({ place }) => place !== undefined && !isText(place));
  if (misplaced >= 0) return `inputs[${misplaced}].place is not a text`;
  return notes === undefined || isTexts(notes) ? undefined : 'notes is not a list of texts';
}

function resultsFault(results: Partial<Record<keyof PartResults, unknown>>): string | undefined {
  if (!isPartNote(results.part)) return 'results.part does not name a job and a number';
  if (!isObject(results.frame)) return 'results.frame is not an object';
  if (results.data === undefined) return 'results.data is missing';
  const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0;
  for (const name of ['seconds', 'peakRssBytes'] as const)
    if (!isAmount(results[name])) return `results.${name} is not a number`;
  const { times } = results;
  if (times !== undefined && !(Array.isArray(times) && times.every(isAmount)))
    return 'results.times is not a list of numbers';
  for (const name of ['path', 'processor'] as const) if (!isText(results[name])) return `results.${name} is not a text`;
  if (results.fit !== undefined && !isTextFit(results.fit)) return 'results.fit has not the numbers of a text';
  return isTexts(results.warnings) ? undefined : 'results.warnings is not a list of texts';
}

function isPartNote(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { job, number, of } = value;
  const isCount = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 1;
  return typeof job === 'string' && isCutKind(job) && isCount(number) && isCount(of) && number <= of && of <= MAX_PARTS;
}
