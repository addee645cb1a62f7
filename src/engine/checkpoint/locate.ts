/** Finds the files of a checkpoint from the user's path: a model folder, a safetensors or GGUF file, an index or the config. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../errors';
import { systemReason } from '../system-failure';
import { isGguf } from '../formats/gguf/file';
import { pickleError } from '../formats/not-safetensors';

export interface Located {
  /** The user's path, absolute. */
  readonly path: string;
  readonly folder: string;
  /** Names of the folder's entries. */
  readonly names: readonly string[];
  /** A single file with all weights, the index of several, or a GGUF file, which may be one of several. */
  readonly weights: { readonly kind: 'file' | 'index' | 'gguf'; readonly path: string };
  /** True if the path is one of several files of a checkpoint. */
  readonly isPart: boolean;
}

const WEIGHTS = 'model.safetensors';
const INDEX_SUFFIX = '.safetensors.index.json';
const PART = /-\d{5}-of-\d{5}\.safetensors$/;
const PICKLE = /\.(bin|pt|pth|ckpt)$/i;

/** Finds the files of the checkpoint that `path` names. Throws `UserError`. */
export async function locateCheckpoint(path: string): Promise<Located> {
  const absolute = resolve(path);
  if (await isFolder(absolute)) return locateInFolder(absolute, absolute);
  const folder = dirname(absolute);
  const name = basename(absolute);
  if (name === 'config.json') return locateInFolder(absolute, folder);
  const gguf = await isGguf(absolute);
  const kind = gguf ? 'gguf' : name.endsWith('.index.json') ? 'index' : 'file';
  return {
    path: absolute,
    folder,
    names: await list(folder),
    weights: { kind, path: absolute },
    isPart: kind === 'file' && PART.test(name),
  };
}

async function locateInFolder(path: string, folder: string): Promise<Located> {
  const names = await list(folder);
  const found = (kind: Located['weights']['kind'], name: string): Located => {
    return { path, folder, names, weights: { kind, path: join(folder, name) }, isPart: false };
  };
  // The search order of transformers.
  if (names.includes(WEIGHTS)) return found('file', WEIGHTS);
  if (names.includes(`${WEIGHTS}.index.json`)) return found('index', `${WEIGHTS}.index.json`);
  const indexes = names.filter((name) => name.endsWith(INDEX_SUFFIX));
  if (indexes.length === 1) return found('index', indexes[0]);
  const files = names.filter((name) => name.endsWith('.safetensors'));
  if (files.length === 1 && indexes.length === 0) return found('file', files[0]);
  const models = ggufModels(names);
  if (models.length === 1 && files.length === 0 && indexes.length === 0) return found('gguf', models[0]);
  throw noWeights(folder, names, files, indexes);
}

function noWeights(
  folder: string,
  names: readonly string[],
  files: readonly string[],
  indexes: readonly string[],
): UserError {
  const what = `No checkpoint to open in ${folder}`;
  if (indexes.length > 1)
    return new UserError(
      what,
      `it holds ${indexes.length} indexes: ${indexes.slice(0, 4).join(', ')}`,
      'Open one of them.',
    );
  if (files.length > 1) {
    return new UserError(
      what,
      `it holds ${files.length} safetensors files but no ${WEIGHTS}.index.json`,
      'Download the index too, or open one of the files.',
    );
  }
  const pickle = names.find((name) => PICKLE.test(name));
  if (pickle !== undefined) return pickleError(pickle);
  const models = ggufModels(names);
  if (models.length > 1) {
    const shown = models.slice(0, 4).join(', ');
    return new UserError(what, `it holds ${models.length} models in GGUF files: ${shown}`, 'Open one of them.');
  }
  if (names.includes('snapshots') && names.includes('blobs')) {
    return new UserError(
      what,
      'it is the root of a model in the Hugging Face cache',
      'Open a folder in its snapshots folder.',
    );
  }
  return new UserError(what, 'this folder has no weights (.safetensors)', 'Choose another folder.');
}

/** One GGUF file of each model: of a model in several files the first one. */
const ggufModels = (names: readonly string[]): string[] =>
  names.filter((name) => /\.gguf$/i.test(name) && !/-(?!00001-of-)\d{5}-of-\d{5}\.gguf$/i.test(name));

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // Opening the file reports links with a missing target.
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return false;
    throw unreadable(path, error);
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function unreadable(path: string, error: unknown): unknown {
  const known = systemReason(error);
  if (!known) return error;
  return new UserError(`Cannot open ${path}`, known.why, known.action, { cause: error });
}
