/** Takes back what was added to a place: exactly what was written, and only where it is as it was written. */
import { lstat, readlink, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../engine/errors';
import { isThere } from '../engine/files/existing';
import { writeWhole } from '../engine/files/whole-file';
import type { JobOptions } from '../engine/progress';
import { systemFailure } from '../engine/system-failure';
import { shownBy, textOf } from './add';
import { type Added, type Addition, type Entry, forget } from './additions';
import { runProgram } from './run-program';
import { digestOf, withoutTask } from './tasks-file';

export interface Undone {
  readonly removed: readonly string[];
  /** What is still there, and why. */
  readonly left: readonly { readonly path: string; readonly why: string }[];
}

/** What is left is the user's own from then on. @throws UserError where nothing could be done: it is remembered still */
export async function undo(addition: Addition, env: NodeJS.ProcessEnv, job: JobOptions): Promise<Undone> {
  let undone: Undone;
  try {
    undone = await undoAdded(addition.added, addition.name, job);
  } catch (error) {
    throw systemFailure(error) ?? error;
  }
  await forget(addition, env);
  return undone;
}

function undoAdded(added: Added, name: string, job: JobOptions): Promise<Undone> {
  switch (added.kind) {
    case 'folder':
      return undoFolder(added);
    case 'task':
      return undoTask(added);
    case 'ollama':
      return undoOllama(added, name, job);
  }
}

const CHANGED = 'it changed since';

async function undoFolder({ out, made, entries }: Extract<Added, { kind: 'folder' }>): Promise<Undone> {
  const removed: string[] = [];
  const left: { path: string; why: string }[] = [];
  for (const entry of entries) {
    const path = join(out, ...entry.path.split('/'));
    if (!(await isThere(path))) continue;
    if (await isAsAdded(path, entry)) {
      await rm(path);
      removed.push(path);
    } else left.push({ path, why: CHANGED });
  }
  const inside = [...new Set(entries.flatMap(({ path }) => foldersOf(path)))].sort((a, b) => b.length - a.length);
  for (const folder of [...inside.map((path) => join(out, ...path.split('/'))), out, ...[...made].reverse()]) {
    await rmdir(folder).catch(() => undefined); // it is gone, or has files of others
  }
  if (left.length === 0 && (await isThere(out)))
    left.push({ path: out, why: 'it has files that Coppice did not write' });
  return { removed, left };
}

/** "a/b/c" has "a" and "a/b". */
const foldersOf = (path: string): string[] => {
  const parts = path.split('/');
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
};

async function isAsAdded(path: string, entry: Entry): Promise<boolean> {
  const found = await lstat(path);
  if ('link' in entry) return found.isSymbolicLink() && (await readlink(path)) === entry.link;
  return found.isFile() && found.size === entry.bytes && found.mtimeMs === entry.modified && found.ino === entry.inode;
}

async function undoTask({ file, task, before, after }: Extract<Added, { kind: 'task' }>): Promise<Undone> {
  const text = await textOf(file);
  if (text === undefined) return { removed: [], left: [] };
  if (digestOf(text) === after && before === null) {
    await rm(file);
    await rmdir(dirname(file)).catch(() => undefined); // there may be other files
    return { removed: [file], left: [] };
  }
  const without = digestOf(text) === after ? before : withoutTask(text, task, file);
  if (without === undefined || without === null) {
    return { removed: [], left: text.includes(JSON.stringify(task.label)) ? [{ path: file, why: CHANGED }] : [] };
  }
  await writeWhole(file, without);
  return { removed: [`${file}: ${task.label}`], left: [] };
}

async function undoOllama(
  { program, shown }: Extract<Added, { kind: 'ollama' }>,
  name: string,
  { signal }: JobOptions,
): Promise<Undone> {
  const now = await shownBy(program, name, signal);
  if (now === undefined) return { removed: [], left: [] };
  if (digestOf(now) !== shown) return { removed: [], left: [{ path: `ollama: ${name}`, why: CHANGED }] };
  const { code, error } = await runProgram(program, ['rm', name], { signal });
  if (code !== 0) throw new UserError(`ollama rm ${name} failed`, error || `it ended with ${code}`, 'Run it yourself.');
  return { removed: [`ollama: ${name}`], left: [] };
}
