/** What a download of the tasks' data would fetch, so that the user can decide. Looks at the folder; fetches nothing. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode, UserError } from '../../errors';
import { hashFile } from '../../files/regular-file';
import type { JobOptions } from '../../progress';
import { TASKS, type TaskName } from './catalogue';
import { findTask } from './find';
import { type RemoteFile, type Source, SOURCES } from './sources';

/**
 * missing: to be fetched · there: nothing to do · other: another file has its name, which is kept.
 */
export type FileState = 'missing' | 'there' | 'other';

export interface PlannedFile extends RemoteFile {
  readonly task: TaskName;
  /** Where it is to be. */
  readonly path: string;
  readonly state: FileState;
}

/** A task of which the user gets the file. */
export interface ByHand extends Pick<Source, 'from' | 'licence' | 'byHand'> {
  readonly task: TaskName;
  readonly title: string;
}

export interface DownloadPlan {
  readonly folder: string;
  /** Files of known bytes, of all tasks that have them. */
  readonly files: readonly PlannedFile[];
  /** Tasks without, and without a file of their own in the folder. */
  readonly byHand: readonly ByHand[];
  /** Tasks without, which have a file in the folder. */
  readonly found: readonly TaskName[];
  /** Bytes to fetch. */
  readonly bytes: number;
}

/**
 * The plan for these tasks. `folder` need not exist.
 * @throws UserError when the folder cannot be read; CancelledError
 */
export async function planDownload(
  folder: string,
  tasks: readonly TaskName[],
  job: JobOptions = {},
): Promise<DownloadPlan> {
  const files: PlannedFile[] = [];
  const byHand: ByHand[] = [];
  const found: TaskName[] = [];
  for (const task of tasks) {
    const { files: remote, from, licence, byHand: how } = SOURCES[task];
    for (const each of remote) {
      const path = join(folder, each.file);
      files.push({ ...each, task, path, state: await stateOf(each, path, job) });
    }
    if (remote.length > 0) continue;
    if (await isThere(task, folder)) found.push(task);
    else byHand.push({ task, title: TASKS[task].title, from, licence, byHand: how });
  }
  const missing = files.filter(({ state }) => state === 'missing');
  return { folder, files, byHand, found, bytes: missing.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/**
 * A file out of an archive has no hash of its own. It appears in one step, so a file of its name is complete, or the
 * user's own.
 */
async function stateOf({ bytes, sha256, member }: RemoteFile, path: string, job: JobOptions): Promise<FileState> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return 'missing';
  if (member !== undefined) return 'there';
  if (stats.isFile() && stats.size !== bytes) return 'other';
  return (await hashFile(path, undefined, job)) === sha256 ? 'there' : 'other';
}

const isThere = (task: TaskName, folder: string): Promise<boolean> =>
  findTask(task, folder).then(
    () => true,
    (error: unknown) => {
      if (error instanceof UserError) return false;
      throw error;
    },
  );
