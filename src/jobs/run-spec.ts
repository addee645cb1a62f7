/** Runs one job from its spec to its outcome: its options, the place of its record, the job itself. Loads the engine. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { claimRecordFolder, keepRecord } from '../engine/records/folder';
import { completeOptions, optionsIn } from './complete';
import { UserError } from '../engine/errors';
import { isGguf } from '../engine/formats/gguf/file';
import { type OptionName, renamed } from '../engine/option-token';
import { type AnyJob, checkpointsIn } from './define';
import { JOBS } from './definitions';
import type { Kind } from './kinds';
import { partFilesIn } from './parts/files';
import { type GatheredRun, gatherParts } from './parts/gather';
import { type JobEnvironment, type RecordPlace, runJob } from './run-job';
import type { EventOf, JobKind, JobOutcome, Jobs, JobSpec } from '../protocol/jobs';
import type { JobRunner, RunnerOptions } from './runner';

/** @throws errors of the engine; UserError before computing when no record can be written */
export async function runSpec(
  spec: JobSpec,
  { job, hooks, emit }: Pick<JobEnvironment<Kind>, 'job' | 'hooks' | 'emit'>,
): Promise<JobOutcome> {
  const { kind } = spec;
  const options = completeOptions(JOBS[kind], optionsIn(spec));
  const folder = await claimRecordFolder(spec.records ?? [], await foldersOf(checkpointsIn(JOBS[kind], options)));
  const place = folder === undefined ? undefined : folderFor(folder);
  try {
    const { results: _, ...outcome } = await runJob(kind, options, { job, hooks, emit, place });
    return outcome;
  } catch (error) {
    throw namedIn(kind, error);
  }
}

/** The error with the names that this job's options have: only some jobs have a setting for an option. */
function namedIn(kind: Kind, error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const options: AnyJob['options'] = JOBS[kind].options;
  return Object.entries(options).reduce((found: UserError, [name, { token }]) => {
    if (token === undefined) return found;
    return found.withTexts((text) => renamed(text, name as OptionName, token));
  }, error);
}

/**
 * Makes one run of the partial records in a folder, with the record and the outcome of a run in one process.
 * @param spec of the job, with the folders for its record
 * @param settle puts what the parts wrote into its place, and names that in result and record, which is for the folder
 * @throws UserError when parts are missing or not of one run
 */
export async function gatherSpec(
  parts: string,
  spec: JobSpec,
  signal?: AbortSignal,
  settle: Settle = (run) => Promise.resolve(run),
): Promise<JobOutcome> {
  const options = completeOptions(JOBS[spec.kind], optionsIn(spec));
  const folder = await claimRecordFolder(spec.records ?? [], await foldersOf(checkpointsIn(JOBS[spec.kind], options)));
  const gathered = await gatherParts(await partFilesIn([parts]), folder ?? parts, { signal });
  const { kind, notes, warnings } = gathered;
  if (kind !== spec.kind) {
    throw new UserError(
      `${parts} has parts of another job`,
      `they are of ${kind}, not of ${spec.kind}`,
      'Run it again on the cluster.',
    );
  }
  const { result, record } = await settle(gathered, folder ?? parts);
  const device = record.device as JobOutcome['device'];
  const kept = folder === undefined ? null : await keepRecord(folder, record);
  return { result: result as JobOutcome['result'], record: kept, device, notes, warnings };
}

/** See `gatherSpec`. */
export type Settle = (
  run: Pick<GatheredRun, 'result' | 'record'>,
  folder: string,
) => Promise<Pick<GatheredRun, 'result' | 'record'>>;

const folderFor = (folder: string): RecordPlace => ({ folder, write: (record) => keepRecord(folder, record) });

/**
 * Folders of checkpoints, as far as they exist: the job itself says what is missing. The folder of a GGUF file is not its own.
 */
async function foldersOf(paths: readonly string[]): Promise<string[]> {
  const folders: string[] = [];
  for (const path of new Set(paths)) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) folders.push(path);
    else if (found && !(await isGguf(path))) folders.push(dirname(path));
  }
  return folders;
}

/**
 * Runs jobs in this process.
 * @param usual options of the machine, such as `threads`, for every job that has them and is not told another value
 */
export function inThisProcess(usual: object = {}): JobRunner {
  return <K extends JobKind>(spec: Jobs[K]['spec'], options: RunnerOptions<K> = {}): Promise<JobOutcome<K>> => {
    const { signal, onProgress, onEvent } = options;
    const { options: known }: AnyJob = JOBS[spec.kind];
    const added = Object.fromEntries(Object.entries(usual).filter(([name]) => Object.hasOwn(known, name)));
    const around = { job: { signal, onProgress }, hooks: {}, emit: (event: unknown) => onEvent?.(event as EventOf<K>) };
    return runSpec({ ...added, ...spec } as unknown as JobSpec, around);
  };
}
