/** Builds programs of the project for tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** Makes a folder for programs, which find the sample model and the recipes of the paper beside their own folder. */
export function prepareFolder(folder) {
  mkdirSync(join(folder, 'dist'));
  for (const name of ['media', 'recipes']) symlinkSync(join(root, name), join(folder, name), 'junction');
}

/** Builds these programs, or all, into `dist` of such a folder. */
export function buildInto(folder, programs = []) {
  const args = [join(root, 'esbuild.mjs'), ...programs, `--outdir=${join(folder, 'dist')}`];
  execFileSync(process.execPath, args, { cwd: root });
}
