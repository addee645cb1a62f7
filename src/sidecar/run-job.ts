/** Runs one job from its spec to its outcome: its options, the place of its record, the job itself. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { claimRecordFolder, keepRecord } from '../engine/records/folder';
import { completeOptions, optionsIn } from '../jobs/complete';
import { checkpointsIn } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import { type JobEnvironment, type RecordPlace, runJob as runDefinedJob } from '../jobs/run-job';
import type { JobOutcome, JobSpec } from '../protocol/jobs';

/** @throws errors of the engine; UserError before computing when no record can be written */
export async function runJob(
  spec: JobSpec,
  { job, hooks, emit }: Pick<JobEnvironment<Kind>, 'job' | 'hooks' | 'emit'>,
): Promise<JobOutcome> {
  const { kind } = spec;
  const options = completeOptions(JOBS[kind], optionsIn(spec));
  const folder = await claimRecordFolder(spec.records ?? [], await foldersOf(checkpointsIn(JOBS[kind], options)));
  const place = folder === undefined ? undefined : folderFor(folder);
  const { results: _, ...outcome } = await runDefinedJob(kind, options, { job, hooks, emit, place });
  return outcome;
}

const folderFor = (folder: string): RecordPlace => ({ folder, write: (record) => keepRecord(folder, record) });

/** Folders of checkpoints, as far as they exist: the job itself says what is missing. */
async function foldersOf(paths: readonly string[]): Promise<string[]> {
  const folders: string[] = [];
  for (const path of new Set(paths)) {
    const found = await stat(path).catch(() => undefined);
    if (found) folders.push(found.isDirectory() ? path : dirname(path));
  }
  return folders;
}
