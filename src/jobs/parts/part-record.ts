/**
 * The partial record of a part: a record of kind "part" with what was measured. A run of parts has one identity, which all
 * its parts agree in: job, number of parts, versions, inputs, settings and frame.
 */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../engine/errors';
import { option } from '../../engine/option-token';
import { MAX_PARTS, type Part, partText } from '../../engine/parts/part';
import type { Share } from '../../engine/parts/split';
import { readRecord, type RunRecord } from '../../engine/records/record';
import { isObject } from '../../format/json';
import { isOfMachine } from '../asked';

/** Jobs whose work can be cut. */
export const CUT_KINDS = ['score', 'eval', 'tasks', 'curve'] as const;
export type CutKind = (typeof CUT_KINDS)[number];

export const isCutKind = (kind: string): kind is CutKind => (CUT_KINDS as readonly string[]).includes(kind);

/** Of records of parts. */
export const PART_KIND = 'part';

/** The results of a partial record. */
export interface PartResults {
  readonly part: Part & { readonly job: CutKind };
  /** What it computed; absent where parts are cut otherwise. */
  readonly share?: Share;
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
}

/** A record of a part that was read. */
export interface PartRecord {
  readonly file: string;
  readonly record: RunRecord;
  readonly results: PartResults;
}

/** @throws UserError when the file is no partial record, or not a whole one */
export async function readPart(file: string): Promise<PartRecord> {
  const record = await readRecord(file);
  const refuse = (why: string): UserError =>
    new UserError(
      `${file} is not a part`,
      why,
      `Give files that jobs wrote with ${option('part', '1/8')} and ${option('record')}.`,
    );
  if (record.kind !== PART_KIND) throw refuse(`it is the record of a whole run (${record.kind})`);
  const results = record.results as Partial<Record<keyof PartResults, unknown>>;
  if (!isPartNote(results.part)) throw refuse('results.part does not name a job and a number');
  if (!isObject(results.frame)) throw refuse('results.frame is not an object');
  if (results.data === undefined) throw refuse('results.data is missing');
  const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0;
  for (const name of ['seconds', 'peakRssBytes'] as const)
    if (!isAmount(results[name])) throw refuse(`results.${name} is not a number`);
  const { times } = results;
  if (times !== undefined && !(Array.isArray(times) && times.every(isAmount)))
    throw refuse('results.times is not a list of numbers');
  for (const name of ['path', 'processor'] as const)
    if (typeof results[name] !== 'string') throw refuse(`results.${name} is not a text`);
  const { warnings } = results;
  if (!Array.isArray(warnings) || !warnings.every((text) => typeof text === 'string'))
    throw refuse('results.warnings is not a list of texts');
  return { file, record, results: results as unknown as PartResults };
}

function isPartNote(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { job, number, of } = value;
  const isCount = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 1;
  return typeof job === 'string' && isCutKind(job) && isCount(number) && isCount(of) && number <= of && of <= MAX_PARTS;
}

/** What all parts of a run agree in, each with its name in messages, in the order in which differences are told. */
function identityOf({ record, results }: PartRecord): readonly (readonly [name: string, value: unknown])[] {
  const { inputs, settings, seed, precision, device, versions } = record;
  return [
    ['job', results.part.job],
    ['number of parts', results.part.of],
    ['version of Coppice', versions.coppice],
    ['version of onnxruntime', versions.onnxruntime],
    ...inputs.map(({ role, name, identity, sha256 }): [string, unknown] => [`${role} (${name})`, identity ?? sha256]),
    ['number of inputs', inputs.length],
    ...Object.entries(settings)
      .filter(([name]) => !isOfMachine(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]): [string, unknown] => [`setting ${name}`, value]),
    ['seed', seed],
    ['precision', precision],
    ['device', isObject(device) ? device.provider : device],
    ['frame', results.frame],
  ];
}

/**
 * @param first any part of the run
 * @throws UserError when `other` is a part of another run, with the first thing that differs
 */
export function requireSameRun(first: PartRecord, other: PartRecord): void {
  const [a, b] = [first, other].map((part) => new Map(identityOf(part)));
  const different = [...new Set([...a.keys(), ...b.keys()])].find(
    (name) => !isDeepStrictEqual(a.get(name), b.get(name)),
  );
  if (different === undefined) return;
  const [one, two] = [a, b].map((identity) => shortText(identity.get(different)));
  throw new UserError(
    `${other.file} is not a part of the same run as ${first.file}`,
    `they differ in ${different}${one === two ? '' : `: ${two} instead of ${one}`}`,
    `Gather the parts of one run, or run ${option('part', partText(other.results.part))} again with the same options.`,
  );
}

const shortText = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 20)}…` : text;
};
