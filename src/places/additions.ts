/**
 * What was added to places, each in a file of its own in the user's cache folder, so that it can be taken back. Where that folder was
 * emptied, additions are removed by hand.
 */
import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../engine/files/cache';
import { namesIn } from '../engine/files/names';
import { isBelow } from '../engine/files/paths';
import { readTextFile } from '../engine/files/text-file';
import { writeWhole } from '../engine/files/whole-file';
import { isObject, type JsonObject } from '../format/json';
import { PLACE_NAMES, type PlaceName } from './place';

/** A file or a link below the new folder. */
export type Entry = { readonly path: string } & (
  { readonly bytes: number; readonly modified: number; readonly inode: number } | { readonly link: string }
);

export type Added =
  | {
      readonly kind: 'folder';
      readonly out: string;
      readonly made: readonly string[];
      readonly entries: readonly Entry[];
    }
  | {
      readonly kind: 'task';
      readonly file: string;
      readonly task: JsonObject & { readonly label: string };
      /** The file before; null where it was made. */
      readonly before: string | null;
      readonly after: string;
    }
  | { readonly kind: 'ollama'; readonly program: string; readonly shown: string };

export interface Addition {
  readonly format: 1;
  readonly place: PlaceName;
  readonly name: string;
  /** Absolute path of the model that was added. */
  readonly source: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly added: Added;
}

const FOLDER = 'added';
/** Of a folder with thousands of files. */
const MOST_BYTES = 16 * 2 ** 20;

const folderOf = async (env: NodeJS.ProcessEnv): Promise<string> => join(await cacheFolder(env), FOLDER);

/** One name for one thing: adding it again replaces what is remembered. */
function fileOf({ place, name, added }: Pick<Addition, 'place' | 'name' | 'added'>): string {
  const where = added.kind === 'folder' ? added.out : added.kind === 'task' ? added.file : '';
  const id = createHash('sha256')
    .update(JSON.stringify([place, name, where]))
    .digest('hex')
    .slice(0, 16);
  return `${place}-${id}.json`;
}

/** @throws UserError when it cannot be written: then nothing is to be added either */
export async function remember(addition: Addition, env: NodeJS.ProcessEnv): Promise<void> {
  const folder = await folderOf(env);
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, fileOf(addition)), `${JSON.stringify(addition, null, 1)}\n`);
}

export async function forget(addition: Addition, env: NodeJS.ProcessEnv): Promise<void> {
  await rm(join(await folderOf(env), fileOf(addition)), { force: true });
}

/** All that are remembered, the newest first. Files that are no such records are passed over. */
export async function additions(env: NodeJS.ProcessEnv): Promise<Addition[]> {
  const folder = await folderOf(env);
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.json'));
  const read = await Promise.all(names.map((name) => readAddition(join(folder, name))));
  return read.filter((each) => each !== undefined).sort((a, b) => b.at.localeCompare(a.at));
}

async function readAddition(file: string): Promise<Addition | undefined> {
  try {
    const value: unknown = JSON.parse((await readTextFile(file, MOST_BYTES, '')).text);
    return isAddition(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Files are removed by it, so it must name only what lies below its folder. */
function isAddition(value: unknown): value is Addition {
  if (!isObject(value) || value.format !== 1 || !isObject(value.added)) return false;
  const { added } = value;
  const texts = [value.name, value.source, value.at];
  if (!texts.every(isText) || !PLACE_NAMES.some((name) => name === value.place)) return false;
  switch (added.kind) {
    case 'folder':
      return isText(added.out) && isList(added.made, isText) && isList(added.entries, isEntry);
    case 'task':
      return (
        isText(added.file) &&
        isObject(added.task) &&
        isText(added.task.label) &&
        isText(added.after) &&
        isTextOrNull(added.before)
      );
    default:
      return added.kind === 'ollama' && isText(added.program) && isText(added.shown);
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isList = (value: unknown, of: (each: unknown) => boolean): boolean => Array.isArray(value) && value.every(of);

const isEntry = (value: unknown): boolean =>
  isObject(value) &&
  isText(value.path) &&
  value.path !== '' &&
  isBelow(value.path) &&
  (isText(value.link) || [value.bytes, value.modified, value.inode].every((each) => typeof each === 'number'));
