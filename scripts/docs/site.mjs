/**
 * `npm run docs:site`: builds the site of docs/ into dist/site, with the library's pages if they are made. Its program is no
 * dependency of Coppice: the first call installs it in docs/node_modules.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const docs = join(root, 'docs');
const library = join(root, 'dist/docs');
const site = join(root, 'dist/site');
const program = join(docs, 'node_modules/vitepress/bin/vitepress.js');

if (!existsSync(program)) {
  console.log('installing the program of the site: docs/node_modules');
  const windows = process.platform === 'win32';
  execFileSync(windows ? 'npm.cmd' : 'npm', ['ci', '--no-fund', '--no-audit'], {
    cwd: docs,
    stdio: 'inherit',
    shell: windows,
  });
}
rmSync(site, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [program, 'build', docs], { cwd: docs, stdio: 'inherit' });
if (status === 0 && existsSync(library)) cpSync(library, join(site, 'library'), { recursive: true });
process.exitCode = status ?? 1;
