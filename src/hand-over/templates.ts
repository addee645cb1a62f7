/** The programs of a hand-over, which lie in media/hand-over. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../engine/errors';
import type { Target } from './manifest';

/** @returns text by the name of the file @throws UserError when the installation does not have them */
export async function templatesFor(target: Target): Promise<ReadonlyMap<string, string>> {
  const all = templatesFolder();
  const programs = async (folder: string): Promise<readonly (readonly [string, string])[]> => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.py')).sort();
    return Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const));
  };
  return new Map([...(await programs(all)), ...(await programs(join(all, target)))]);
}

/** The program is one bundled file or many source files, at different depths below the installation's root. */
function templatesFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const found = join(folder, 'media', 'hand-over');
    if (existsSync(found)) return found;
    if (folder !== dirname(folder)) continue;
    throw new UserError(
      'The programs of a hand-over are missing',
      `there is no media/hand-over above ${start}`,
      'Install Coppice again.',
    );
  }
}
