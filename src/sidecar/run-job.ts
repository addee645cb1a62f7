/** Runs one job from its spec to its outcome: the place of its record, the job itself, the record. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { newRecord } from '../engine/records/record';
import { claimRecordFolder, keepRecord } from '../engine/records/folder';
import { textsIn, withPlaces } from '../engine/records/places';
import { sourceChanges } from '../engine/records/source-changes';
import type { DeviceReport } from '../engine/onnx/device';
import { completeOptions, optionsIn } from '../jobs/complete';
import { checkpointOptions } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { EventFor, Kind } from '../jobs/kinds';
import { type RecordPlace, runJob as runDefinedJob } from '../jobs/run-job';
import type { JobEvent, JobKind, JobOutcome, JobSpec } from '../protocol/jobs';
import { bench } from './jobs/bench';
import type { JobContext, JobEnd } from './jobs/job';
import { samples } from './jobs/samples';

/** The context of a job of any kind. */
export type JobEnvironment = Omit<JobContext<JobKind>, 'note' | 'warn' | 'started' | 'emit'> & {
  readonly emit: (event: JobEvent) => void;
};

/** @throws errors of the engine; UserError before computing when no record can be written */
export async function runJob(spec: JobSpec, around: JobEnvironment): Promise<JobOutcome> {
  return isDefined(spec) ? runDefined(spec.kind, spec, around) : runOther(spec, around);
}

type DefinedSpec = Extract<JobSpec, { kind: Kind }>;

const isDefined = (spec: JobSpec): spec is DefinedSpec => Object.hasOwn(JOBS, spec.kind);

async function runDefined<K extends Kind>(
  kind: K,
  spec: Pick<JobSpec, 'records'>,
  { job, hooks, emit }: Omit<JobEnvironment, 'emit'> & { readonly emit: (event: EventFor<K>) => void },
): Promise<JobOutcome<K>> {
  const options = completeOptions(JOBS[kind], optionsIn(spec));
  const folder = await claimRecordFolder(spec.records ?? [], await foldersOf(checkpointsIn(kind, options)));
  const place = folder === undefined ? undefined : folderFor(folder);
  const { results: _, ...outcome } = await runDefinedJob(kind, options, { job, hooks, emit, place });
  return outcome;
}

const folderFor = (folder: string): RecordPlace => ({ folder, write: (record) => keepRecord(folder, record) });

/** Paths of the checkpoints that a job reads. */
export function checkpointsIn(kind: Kind, options: object): string[] {
  const values = new Map<string, unknown>(Object.entries(options));
  return checkpointOptions(JOBS[kind]).flatMap((name) => textsIn(values.get(name)));
}

async function runOther(spec: Exclude<JobSpec, DefinedSpec>, around: JobEnvironment): Promise<JobOutcome> {
  const started = new Date();
  const [notes, warnings]: [string[], string[]] = [[], []];
  const folder = await claimRecordFolder(spec.records ?? [], await sourceFolders(spec));
  let device: DeviceReport | undefined;
  const context = {
    ...around,
    hooks: {
      ...around.hooks,
      onDevice: (report: DeviceReport) => {
        device = report;
        around.hooks.onDevice?.(report);
      },
    },
    note: (text: string) => notes.push(text),
    warn: (text: string) => warnings.push(text),
    started,
  };
  const { result, results, run } = await dispatch(spec, context);
  const changes = await sourceChanges(run.checkpoints ?? []);
  notes.push(...changes);
  const facts = {
    kind: spec.kind,
    ...run,
    results: results ?? result,
    notes: changes,
    started,
  };
  const keep = async (into: string): Promise<string> =>
    keepRecord(into, newRecord({ ...facts, inputs: withPlaces(run.inputs, spec, into) }));
  const record = folder === undefined ? null : await keep(folder);
  return { result, record, device: device ?? null, notes, warnings };
}

function dispatch(
  spec: Exclude<JobSpec, DefinedSpec>,
  context: JobContext<JobKind>,
): Promise<JobEnd<Exclude<JobKind, Kind>>> {
  switch (spec.kind) {
    case 'samples':
      return samples(spec, context);
    case 'bench':
      return bench(spec, context);
  }
}

const sourceFolders = (spec: Exclude<JobSpec, DefinedSpec>): Promise<string[]> =>
  foldersOf(spec.columns.map(({ checkpoint }) => checkpoint));

/** Folders of checkpoints, as far as they exist: the job itself says what is missing. */
async function foldersOf(paths: readonly string[]): Promise<string[]> {
  const folders: string[] = [];
  for (const path of new Set(paths)) {
    const found = await stat(path).catch(() => undefined);
    if (found) folders.push(found.isDirectory() ? path : dirname(path));
  }
  return folders;
}
