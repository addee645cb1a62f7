/** Where a recipe that runs on a cluster keeps its jobs and parts: in `cluster`, in the folder of its state. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../engine/errors';
import { claimFolder, refuseLinks } from '../own-places';
import type { Session } from '../session';

/** @param folder of the state */
export const clusterFolder = (folder: string): string => join(folder, 'cluster');
/** What was asked for and submitted. */
export const recipeRunFile = (folder: string): string => join(clusterFolder(folder), 'recipe.json');
/** The scripts, logs and parts of the job that begins with this step. */
export const jobFolder = (folder: string, name: string): string => join(clusterFolder(folder), name);

export type JobScript = 'part' | 'gather' | 'steps';
export const scriptFile = (folder: string, name: string, script: JobScript): string =>
  join(jobFolder(folder, name), `${script}.sbatch`);
export const logFile = (folder: string, name: string, script: string): string =>
  join(jobFolder(folder, name), 'logs', `${script}.log`);

/** The last job: it writes the report. No step has such a name. */
export const REPORT = 'report.job';

/**
 * The parts of a step. Other inputs or options, or another number of parts, have another folder, so that no part is taken
 * for one of another run.
 * @param key of the step
 */
export const partsPlace = (folder: string, name: string, key: string, of: number): string =>
  join(jobFolder(folder, name), `${createHash('sha256').update(key).digest('hex').slice(0, 16)}-${of}`);

/** Where a part of the step writes what its job writes besides numbers: a healed model. */
export const productsFolder = (place: string): string => join(place, 'made');

/** The newest folder with so many parts of the step; undefined while there is none. */
export async function newestParts(folder: string, name: string, of: number): Promise<string | undefined> {
  const inside = jobFolder(folder, name);
  const names = await readdir(inside).catch((): string[] => []);
  const found: { place: string; time: number }[] = [];
  for (const each of names.filter((one) => /^[0-9a-f]{16}-\d+$/.test(one) && one.endsWith(`-${of}`))) {
    const stats = await stat(join(inside, each)).catch(() => undefined);
    if (stats) found.push({ place: join(inside, each), time: stats.mtimeMs });
  }
  return found.sort((a, b) => b.time - a.time).at(0)?.place;
}

/** Makes the folder of all that, which belongs to the recipe. Several processes may do so at once. @throws UserError */
export async function claimCluster({ folder }: Session): Promise<void> {
  const own = clusterFolder(folder);
  await claimFolder(folder, own).catch(async (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    await claimFolder(folder, own); // another process may have just made it
  });
}

/** Makes a folder inside that one. @throws UserError for a link on the way */
export async function makeInside({ folder }: Session, path: string): Promise<void> {
  await refuseLinks(folder, path);
  await mkdir(path, { recursive: true });
}
