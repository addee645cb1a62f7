/**
 * Writes the types of the library's options, which are not in git, into `src/library/options.ts`. The build does so, and what needs
 * the types of now: `npm run check`, the tests, and the package for npm, which is built first.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';

const FILE = resolve(import.meta.dirname, '../../src/library/options.ts');

/** @param file another place for them */
export async function makeOptions(file = FILE) {
  const { outputFiles } = await build({
    entryPoints: [resolve(import.meta.dirname, 'options.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'warning',
  });
  const { optionsSource } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
  const source = optionsSource();
  // A file that stays as it is keeps its time, by which others know that nothing has changed.
  if (!existsSync(file) || readFileSync(file, 'utf8') !== source) writeFileSync(file, source);
}
