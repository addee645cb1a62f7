/** A recorded run to act on: its record, and options of it with their files where they are now. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { followPlace } from '../../engine/records/places';
import { readRecord, type RunRecord } from '../../engine/records/record';
import type { AnyJob } from '../../jobs/define';
import { changePaths } from '../../jobs/option-paths';
import type { Coppice } from '../coppice';
import { inputFolders } from '../input-folders';
import { recordFolders } from './record-folders';

export interface RecordedRun {
  readonly file: string;
  readonly record: RunRecord;
}

/** @param run id of the record @returns undefined where it has gone, or is no name of a record */
export async function recordedRun(coppice: Coppice, run: string): Promise<RecordedRun | undefined> {
  if (run !== basename(run)) return undefined;
  const file = recordFolders(coppice)
    .map((folder) => join(folder, run))
    .find((path) => existsSync(path));
  const record = file === undefined ? undefined : await readRecord(file);
  return file === undefined || !record ? undefined : { file, record };
}

/** Options as they were given; `gone`: names of files that are not there, or may not be read. */
export interface GivenOptions {
  readonly options: Readonly<Record<string, unknown>>;
  readonly gone: readonly string[];
}

/** The options of these names that the run had, with absolute paths. */
export async function optionsOf(
  coppice: Coppice,
  { file, record }: RecordedRun,
  job: AnyJob,
  names: readonly string[],
): Promise<GivenOptions> {
  const folder = dirname(file);
  const { options = {} } = record;
  const paths: string[] = [];
  const found = names
    .filter((name) => options[name] !== undefined)
    .map((name) => {
      const value = changePaths(job.options[name].kind, options[name], (path) => {
        paths.push(path);
        return resolve(folder, path);
      });
      return [name, value] as const;
    });
  const given = inputFolders(coppice);
  const followed = await Promise.all(paths.map((path) => followPlace(path, folder, given)));
  return {
    options: Object.fromEntries(found),
    gone: paths.filter((_, i) => typeof followed[i] === 'string').map((path) => basename(path)),
  };
}
