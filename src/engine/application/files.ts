/**
 * The files of an application's text, in a fixed order: one file, or those of a folder and of the folders in it. Links are passed
 * over, so nothing is read twice and no walk has no end; so are hidden folders, and those of programs and of Coppice.
 */
import type { Dirent } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { throwIfCancelled, UserError } from '../errors';
import { counted } from '../../format/words';
import { systemReason } from '../system-failure';

/** By what a file holds. Other files of a folder are left out. */
const TEXTS = ['.txt', '.text', '.md', '.markdown', '.rst', '.adoc', '.tex'];
const LINES = ['.jsonl', '.ndjson'];

export type FileKind = 'text' | 'markup' | 'lines' | 'json';

/** A file that may hold records. */
export interface ApplicationFile {
  readonly path: string;
  /** From the folder on, with slashes; its own name, if it is the whole text. */
  readonly name: string;
  readonly kind: FileKind;
  /** Whether the user named it: then it must hold records. */
  readonly isNamed: boolean;
}

/** A file that is not read. */
export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

export interface FoundFiles {
  readonly files: readonly ApplicationFile[];
  readonly leftOut: readonly LeftOut[];
}

/** Logs of a year, a file a day for each of some services. */
const MOST_FILES = 10_000;
/** Names that are looked at, whatever they are. */
const MOST_NAMES = 100_000;
const MOST_DEPTH = 16;

/** Folders of programs, and of what Coppice writes. */
const NO_TEXT = /^(\.|node_modules$|__pycache__$)|\.(coppice|coppice-partial|training|iterate)$/;

/** @throws UserError where there is no such file or folder, or more than is read; CancelledError */
export async function findFiles(path: string, signal?: AbortSignal): Promise<FoundFiles> {
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (stats.isDirectory()) return filesIn(resolve(path), signal);
  return { files: [{ path, name: basename(path), kind: kindOf(path) ?? 'text', isNamed: true }], leftOut: [] };
}

async function filesIn(root: string, signal: AbortSignal | undefined): Promise<FoundFiles> {
  const files: ApplicationFile[] = [];
  const leftOut: LeftOut[] = [];
  let names = 0;
  const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
    throwIfCancelled(signal);
    const entries = await entriesOf(folder, MOST_NAMES - names);
    names += entries.length;
    if (names > MOST_NAMES) throw tooMany(root, MOST_NAMES);
    // By their code units: the same on every machine.
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = `${prefix}${entry.name}`;
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) {
        if (NO_TEXT.test(entry.name)) continue;
        if (depth === MOST_DEPTH) leftOut.push({ name, why: 'it is too deep' });
        else await walk(path, `${name}/`, depth + 1);
        continue;
      }
      const kind = kindOf(entry.name);
      if (!entry.isFile()) leftOut.push({ name, why: entry.isSymbolicLink() ? 'it is a link' : 'it is no file' });
      else if (kind === undefined) leftOut.push({ name, why: 'it is of another type' });
      else files.push({ path, name, kind, isNamed: false });
      if (files.length > MOST_FILES) throw tooMany(root, MOST_FILES);
    }
  };
  await walk(root, '', 0);
  return { files, leftOut };
}

/** What is in a folder, and one entry more than `most` where it has more: they are not all read then. */
async function entriesOf(folder: string, most: number): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      entries.push(entry);
      if (entries.length > most) break;
    }
  } catch (error) {
    throw unreadable(folder, error);
  }
  return entries;
}

function kindOf(name: string): FileKind | undefined {
  const extension = extname(name).toLowerCase();
  if (extension === '.json') return 'json';
  if (LINES.includes(extension)) return 'lines';
  if (!TEXTS.includes(extension)) return undefined;
  return ['.txt', '.text'].includes(extension) ? 'text' : 'markup';
}

const tooMany = (root: string, most: number): UserError =>
  new UserError(
    `Cannot read the application’s text in ${root}`,
    `it has more than ${counted(most, 'file')}`,
    'Name the folder in it that has the texts, or join them to fewer files.',
  );

function unreadable(path: string, error: unknown): unknown {
  const reason = systemReason(error);
  if (!reason) return error;
  return new UserError(`Cannot read the application’s text ${path}`, reason.why, reason.action, { cause: error });
}
