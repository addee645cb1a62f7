/** The programs of a hand-over, which lie in media/hand-over. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../engine/errors';
import { installed } from '../engine/files/installed';
import type { Target } from './manifest';

/** @returns text by the name of the file @throws UserError when the installation does not have them */
export async function templatesFor(target: Target): Promise<ReadonlyMap<string, string>> {
  const all = installed('media', 'hand-over');
  if (all === undefined) {
    const why = 'the folder media/hand-over is not where Coppice is installed';
    throw new UserError('The programs of a hand-over are missing', why, 'Install Coppice again.');
  }
  const programs = async (folder: string): Promise<readonly (readonly [string, string])[]> => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.py')).sort();
    return Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const));
  };
  return new Map([...(await programs(all)), ...(await programs(join(all, target)))]);
}
