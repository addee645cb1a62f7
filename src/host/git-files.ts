/**
 * Whether Git would list a new model as untracked, and the lines that change that. Git itself is asked where it is
 * installed. Does not use VS Code.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { systemErrorCode } from '../engine/errors';
import { writeWhole } from '../engine/files/whole-file';

/** The root of the work tree that a path is in; undefined outside of Git. */
export function workTreeOf(path: string): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** A repository's configuration may name programs: one that watches files, hooks, and those that fetch what is missing. */
const RUNS_NOTHING = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'protocol.allow=never'].flatMap((setting) => [
  '-c',
  setting,
]);

/** Whether Git ignores the path. Without Git, its .gitignore files are read for lines that name it. */
export async function isIgnored(root: string, path: string): Promise<boolean> {
  const answer = await new Promise<number | undefined>((resolve) => {
    // 0: ignored; 1: not; another one: it cannot tell.
    const args = [...RUNS_NOTHING, '-C', root, 'check-ignore', '-q', '--', path];
    // On Windows a program is looked for in the working folder first.
    const options = { timeout: 5000, cwd: dirname(process.execPath), env: { ...process.env, GIT_NO_LAZY_FETCH: '1' } };
    execFile('git', args, options, (error) =>
      resolve(error === null ? 0 : typeof error.code === 'number' ? error.code : undefined),
    );
  });
  if (answer === 0 || answer === 1) return answer === 0;
  const names = relative(root, path).split(/[/\\]/);
  for (let depth = 0; depth < names.length; depth++) {
    const lines = (await textOf(join(root, ...names.slice(0, depth), '.gitignore'))).split(/\r?\n/);
    const below = names.slice(depth);
    if (lines.some((line) => namesOne(line.trim(), below))) return true;
  }
  return false;
}

/** Whether a line names the path or a folder above it. Patterns with wildcards count only as "*". */
function namesOne(line: string, names: readonly string[]): boolean {
  if (line === '*') return true;
  const plain = line.replace(/^\/|\/$/g, '');
  if (plain === '' || plain.startsWith('#')) return false;
  const anchored = names.map((_, i) => names.slice(0, i + 1).join('/'));
  return anchored.includes(plain) || (!line.replace(/\/$/, '').includes('/') && names.includes(plain));
}

/** The line of .gitignore in `root` for a new folder or file. */
export function ignoreLine(root: string, path: string, isFolder: boolean): string {
  const place = relative(root, path)
    .replaceAll('\\', '/')
    .replace(/[\\*?[\]]/g, '\\$&')
    .replace(/ $/, '\\ ');
  return `/${place}${isFolder ? '/' : ''}`;
}

const LFS = ['filter=lfs', 'diff=lfs', 'merge=lfs', '-text'];

/** The line of .gitattributes in `root` that `git lfs track` would write for the weights. */
export function lfsLine(root: string, path: string, isFolder: boolean): string {
  const place = relative(root, path)
    .replaceAll('\\', '/')
    .replace(/[\\*?[\]]/g, '\\$&')
    .replaceAll(' ', '[[:space:]]');
  return [`/${place}${isFolder ? '/**' : ''}`, ...LFS].join(' ');
}

/** Adds a line at the end of a file, which may not exist yet. @throws UserError */
export async function addLine(file: string, line: string): Promise<void> {
  const before = await textOf(file);
  if (before.split(/\r?\n/).includes(line)) return;
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  await writeWhole(file, `${before}${gap}${line}\n`);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    if (systemErrorCode(error) !== undefined && basename(file) === '.gitignore') return '';
    throw error;
  }
}
