/** Runs as a recipe needs them: their options with absolute paths, and what they read and wrote. Pure. */
import { dirname, relative, resolve } from 'node:path';
import { digestRecord } from '../../jobs/digest/digest';
import type { RunDigest } from '../../engine/records/digest-types';
import { entries } from '../../engine/records/fields';
import type { RunRecord } from '../../engine/records/record';
import type { JsonObject } from '../../format/json';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import type { Kind } from '../../jobs/kinds';
import { changePaths } from '../../jobs/option-paths';
import { STEP_KINDS } from '../outputs';

/** A record of a folder of runs. */
export interface SavedRun {
  /** File name. */
  readonly id: string;
  /** Absolute. */
  readonly file: string;
  readonly record: RunRecord;
  /** Inputs that have changed since, in words. */
  readonly changed?: readonly string[];
}

/** A run that can be a step. */
export interface StepRun extends SavedRun {
  readonly kind: Kind;
  readonly digest: RunDigest;
  /** With absolute paths. */
  readonly options: JsonObject;
  /** Paths that it read. */
  readonly reads: readonly string[];
  /** Paths that it wrote, by option. */
  readonly writes: Readonly<Record<string, string>>;
  /** Blocks and modules that it left out of its model. */
  readonly removed: readonly (number | string)[];
}

/** @returns undefined for a run that no step repeats, and one whose record lacks its options */
export function stepRun(run: SavedRun): StepRun | undefined {
  const { record, file } = run;
  const asked = askedOf(record);
  const kind = STEP_KINDS.find((each) => each === asked.kind);
  if (kind === undefined || asked.options === undefined) return undefined;
  const job: AnyJob = JOBS[kind];
  const known = Object.entries(asked.options).filter(([name]) => Object.hasOwn(job.options, name));
  const reads: string[] = [];
  const writes: Record<string, string> = {};
  const options = Object.fromEntries(
    known.map(([name, value]) => [
      name,
      changePaths(job.options[name].kind, value, (path) => {
        const place = resolve(dirname(file), path);
        if (job.options[name].writes) writes[name] = place;
        else reads.push(place);
        return place;
      }),
    ]),
  );
  const digest = digestRecord(record);
  return { ...run, kind, digest, options, reads, writes, removed: removedBy(record, digest) };
}

/** The job of a record and its options. `prune --iterative` was a way to run `iterate`, where a training took less of them. */
function askedOf({ kind, options }: RunRecord): Pick<RunRecord, 'kind' | 'options'> {
  if (kind !== 'prune' || options?.iterative !== true) return { kind, options };
  const { heldOut: _heldOut, ridge: _ridge, tokens: _tokens, ...trained } = options;
  return { kind: 'iterate', options: options.method === 'lora' || options.method === 'full' ? trained : options };
}

const removedBy = ({ kind, results }: RunRecord, { removed }: RunDigest): readonly (number | string)[] => {
  // A choice by module has single modules besides the blocks.
  const own = entries((kind === 'prune' ? results.leftOut : undefined) ?? results.removed);
  return own.length > 0 ? own : removed;
};

/** Whether the run computed on the checkpoint itself, not on one that was made from it. */
export const isOnModel = ({ record }: SavedRun, identity: string): boolean =>
  record.inputs.find(({ role }) => role === 'model')?.identity === identity;

/** The way from a folder to what is in it; undefined outside, and '' for the folder itself. */
export function wayInto(folder: string, path: string): string | undefined {
  const way = relative(folder, path).replaceAll('\\', '/');
  return way === '..' || way.startsWith('../') || resolve(folder, way) !== resolve(path) ? undefined : way;
}

/** The run that wrote the file or folder of this path, the last one before `before` (ISO 8601). */
export function writerOf(path: string, runs: readonly StepRun[], before: string): StepRun | undefined {
  const writers = runs.filter(
    ({ writes, record }) =>
      record.started < before && Object.values(writes).some((out) => wayInto(out, path) !== undefined),
  );
  return writers.toSorted((a, b) => a.record.started.localeCompare(b.record.started)).at(-1);
}

export const sameParts = (a: readonly (number | string)[], b: readonly (number | string)[]): boolean =>
  a.length === b.length && a.every((part) => b.includes(part));
