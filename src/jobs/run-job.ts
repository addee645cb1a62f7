/**
 * Runs one job for the command line and for the sidecar: writes its record, collects its notes, and checks its inputs
 * for changes.
 */
import { dirname } from 'node:path';
import type { DeviceReport } from '../engine/onnx/device';
import { withPlaces } from '../engine/records/places';
import { newRecord, type RunRecord, writeRecord } from '../engine/records/record';
import { sourceChanges } from '../engine/records/source-changes';
import { withApplication } from './application';
import { applicationNotes } from './application-notes';
import { askedOptions } from './asked';
import { completeOptions } from './complete';
import { JOBS } from './definitions';
import type { EventFor, Kind, OptionsFor } from './kinds';
import { type JobContext, type RunPart, watchDevice } from './run';
import { type RunResult, RUNS } from './runs';

/** Destination of a run's record. */
export interface RecordPlace {
  readonly folder: string;
  /** The base folder of relative paths in the options; without it, relative paths name no place. */
  readonly from?: string;
  /** @returns the record's path */
  readonly write: (record: RunRecord) => Promise<string>;
}

/** Context of a job, from the command line or the sidecar. */
export interface JobEnvironment<K extends Kind> extends Pick<JobContext<EventFor<K>>, 'job' | 'hooks' | 'emit'> {
  readonly place?: RecordPlace;
  /** Receives notes and warnings as they come. */
  readonly note?: (text: string) => void;
  readonly warn?: (text: string) => void;
}

/** A finished job. */
export interface Outcome<K extends Kind> {
  readonly result: RunResult<K>;
  /** The results in the record. */
  readonly results: object;
  /** The record's path; null without a record. */
  readonly record: string | null;
  /** Null if nothing was computed. */
  readonly device: DeviceReport | null;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * @param options complete, as `completeOptions` makes them
 * @throws errors of the engine
 */
export async function runJob<K extends Kind>(
  kind: K,
  options: OptionsFor<K>,
  around: JobEnvironment<K>,
): Promise<Outcome<K>> {
  const started = new Date();
  const notes = told(around.note);
  const warnings = told(around.warn);
  const watch = watchDevice({ ...around.hooks, onNote: notes.tell });
  const { hooks } = watch;
  const { job, emit, place } = around;
  const run = partRunner({ job, hooks, note: notes.tell, warn: warnings.tell });
  const context = { job, hooks, emit, note: notes.tell, warn: warnings.tell, started, run };
  if ('application' in options) (await applicationNotes(options.application, job)).forEach(notes.tell);
  const { result, results = result, run: details } = await RUNS[kind](withApplication(JOBS[kind], options), context);
  const changes = await sourceChanges(details.checkpoints ?? []);
  changes.forEach(warnings.tell);
  let record: string | null = null;
  if (place) {
    const inputs = withPlaces(details.inputs, options, place.folder, place.from);
    const asked = askedOptions(JOBS[kind], options, place.folder);
    record = await place.write(
      newRecord({ kind, ...details, inputs, options: asked, results, notes: changes, started }),
    );
  }
  return { result, results, record, device: watch.device() ?? null, notes: notes.texts, warnings: warnings.texts };
}

/** Texts in the order of their reports, each once. */
function told(listener: ((text: string) => void) | undefined): { texts: string[]; tell: (text: string) => void } {
  const texts: string[] = [];
  const tell = (text: string): void => {
    if (texts.includes(text)) return; // parts of a job tell the same
    texts.push(text);
    listener?.(text);
  };
  return { texts, tell };
}

/** Runs jobs as parts of one. Their notes, warnings and devices are reported as those of the whole. */
export function partRunner(whole: Pick<JobContext, 'job' | 'hooks' | 'note' | 'warn'>): RunPart {
  return async (kind, given, part = {}) => {
    const options = completeOptions(JOBS[kind], given);
    const { job = { signal: whole.job.signal }, emit = () => undefined, record } = part;
    const place = record === undefined ? undefined : fileFor(record);
    return runJob(kind, options, { ...whole, job, emit, place });
  };
}

/** A record in a file. Relative paths in the options start at the working folder. */
export const fileFor = (file: string): RecordPlace => ({
  folder: dirname(file),
  from: process.cwd(),
  write: async (record) => {
    await writeRecord(file, record);
    return file;
  },
});
