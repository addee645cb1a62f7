/** What the lines of the view "Jobs" stand for: a job, a checkpoint, a record. */
import { dirname, resolve } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../engine/errors';
import { followPlace } from '../../engine/records/places';
import { readRecord, type RunRecord } from '../../engine/records/record';
import type { StoredRun } from '../../jobs/record-store';
import { completeOptions } from '../../jobs/complete';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { changePaths } from '../../jobs/option-paths';
import { checkpointOf } from '../../jobs/titles';
import type { JobSpec } from '../../protocol/jobs';
import type { JobLine } from '../../state/jobs/line';
import { isKind } from '../../jobs/definitions';
import type { Coppice } from '../coppice';
import { inputFolders } from '../input-folders';
import { resumingSpec } from './resuming-spec';

/** The job of a line. @returns undefined for a line without one, and for a record that does not have it */
export async function specOf({ sidecar }: Pick<Coppice, 'sidecar'>, line: JobLine): Promise<JobSpec | undefined> {
  switch (line.kind) {
    case 'running':
    case 'queued':
      return sidecar.specOf(line.info.id);
    case 'elsewhere':
      return line.spec;
    case 'training':
      return resumingSpec(line.training);
    case 'stopped':
      return line.job.spec;
    case 'parts':
      return line.run.spec;
    case 'failed':
      return line.failed.spec;
    case 'finished':
      return specInRecord(await readRecord(line.run.file), line.run.file);
    case 'more':
      return undefined;
  }
}

/** The job of a record, with absolute paths. @returns undefined if it has no options, or this version does not know them */
function specInRecord({ kind, options }: Pick<RunRecord, 'kind' | 'options'>, file: string): JobSpec | undefined {
  if (options === undefined || !isKind(kind)) return undefined;
  const job: AnyJob = JOBS[kind];
  const known = Object.entries(options).filter(([name]) => Object.hasOwn(job.options, name));
  const absolute = known.map(([name, value]) => [
    name,
    changePaths(job.options[name].kind, value, (path) => resolve(dirname(file), path)),
  ]);
  try {
    const given = Object.fromEntries(absolute) as object;
    completeOptions(job, given);
    return { kind, ...given } as JobSpec;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The checkpoint of a line, to show its results. @throws UserError when a finished run's is not there */
export async function checkpointOfLine(coppice: Coppice, line: JobLine): Promise<string | undefined> {
  switch (line.kind) {
    case 'running':
    case 'queued':
      return line.info.checkpoint;
    case 'elsewhere':
      return checkpointOf(line.spec);
    case 'training':
      return trainedModel(coppice, line.training.model) ?? line.training.request?.checkpoint;
    case 'stopped':
      return checkpointOf(line.job.spec);
    case 'parts':
      return checkpointOf(line.run.spec);
    case 'failed':
      return checkpointOf(line.failed.spec);
    case 'finished':
      return modelOfRun(coppice, line.run);
    case 'more':
      return undefined;
  }
}

/** A listed checkpoint with these files. */
const trainedModel = ({ library }: Pick<Coppice, 'library'>, identity: string | undefined): string | undefined =>
  identity === undefined
    ? undefined
    : library.entries().find(({ path }) => library.peek(path)?.identity === identity)?.path;

/** A listed checkpoint with the run's files, or where its record says that they are. */
async function modelOfRun(coppice: Coppice, { inputs, file, digest }: StoredRun): Promise<string> {
  const model = inputs.find(({ role }) => role === 'model');
  const listed = trainedModel(coppice, model?.identity);
  if (listed !== undefined) return listed;
  if (model?.place !== undefined) {
    const followed = await followPlace(model.place, dirname(file), inputFolders(coppice));
    if (typeof followed !== 'string') return followed.path;
  }
  throw new UserError(
    vscode.l10n.t('The results of this run cannot be shown'),
    vscode.l10n.t('{0} is not among the checkpoints of the view', digest.model.name),
    vscode.l10n.t('Open it with “Coppice: Open Checkpoint…”, or open the record of the run.'),
  );
}
