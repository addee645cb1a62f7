/**
 * Runs a job of the sidecar for a command: adds the settings for device, memory and records. Its progress is in the status
 * bar, in the view "Jobs" and in the results panel of its checkpoint, each with a way to cancel it: nothing is laid over
 * what the user looks at.
 */
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import { shownText } from '../../engine/option-token';
import { machineMemory } from '../../estimates/memory';
import { memoryWarning } from '../../estimates/words';
import { toast } from '../toast';
import { onApplication } from '../ask/application-text';
import { jobMemory } from '../ask/job-time';
import type { EventOf, JobKind, JobOutcome, JobSpec } from '../../protocol/jobs';
import type { JobRunOptions } from '../../sidecar/client';
import { checkpointOf, jobTitle, titledJob } from '../../jobs/titles';
import { keepGivenFiles } from '../given-files';
import { showEnd } from './after';
import { watchForEnd } from './attention';
import { recordFolders } from './record-folders';
import type { CommonArguments } from '../command';

export interface RunJobOptions<S extends JobSpec> {
  readonly onEvent?: (event: EventOf<S['kind']>) => void;
  readonly device?: CommonArguments['device'];
}

/** A finished job. */
export type Finished<K extends JobKind> = JobOutcome<K> & {
  /** Whether it took long or ended without the focus, and no panel shows it, so that the user should be notified. */
  readonly unwatched: boolean;
  /** Whether the results panel of its checkpoint can be seen: the result is there. */
  readonly seen: boolean;
};

/** @throws UserError, CancelledError */
export async function runJob<S extends JobSpec>(
  coppice: Coppice,
  asked: S,
  options: RunJobOptions<S> = {},
): Promise<Finished<S['kind']>> {
  const spec = onApplication(coppice, asked);
  const { config, sidecar } = coppice;
  const { device = spec.device ?? config.compute.device, onEvent } = options;
  const complete: S = { ...config.compute, records: recordFolders(coppice), ...spec, device };
  void keepGivenFiles(coppice, spec);
  warnOfMemory(coppice, spec);
  return followJob(coppice, complete, (around) => sidecar.run(complete, { ...around, ...(onEvent && { onEvent }) }));
}

/** Tells that a job may not fit into memory. It starts in any case: it is an estimate. */
function warnOfMemory(coppice: Coppice, spec: JobSpec): void {
  const path = checkpointOf(spec);
  const checkpoint = coppice.library.peek(path);
  const bytes = checkpoint && jobMemory(coppice, { path, checkpoint }, spec);
  const why = bytes === undefined ? undefined : memoryWarning(bytes, machineMemory().free);
  if (why !== undefined) void toast.warning(`${jobTitle(titledJob(spec))}: ${why}`);
}

/** What a job that is followed needs to be told. */
export type Followed = Pick<JobRunOptions<JobKind>, 'signal' | 'onQueued'>;

/** Waits for the end of a job, shows what it has made, and notes whether the user sees it. @throws errors of the job */
export async function followJob<K extends JobKind>(
  coppice: Coppice,
  spec: JobSpec,
  run: (around: Followed) => Promise<JobOutcome<K>>,
): Promise<Finished<K>> {
  const { log, panels } = coppice;
  const isUnwatched = watchForEnd({ now: () => performance.now(), focused: () => vscode.window.state.focused });
  const outcome = await run({});
  for (const note of outcome.notes) log.info(`${jobTitle(titledJob(spec))}: ${shownText(note)}`);
  const seen = panels.has(checkpointOf(spec));
  const unwatched = !seen && isUnwatched();
  await showEnd(coppice, spec, outcome);
  return { ...outcome, unwatched, seen };
}
