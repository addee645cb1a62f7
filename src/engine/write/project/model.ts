/** A model that a project is to load: what was exported, or a checkpoint that transformers loads. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../../errors';
import { openCheckpoint } from '../../checkpoint/open';
import { partsOf } from '../../checkpoint/gguf/parts';
import { isRagged } from '../../checkpoint/ragged';
import { readTemplate } from '../../tokenizer/files';
import { ggufFacts } from '../gguf/beside';
import { loadablesAt } from '../loadables';
import type { Loadable } from '../loading-code';

export interface ProjectModel {
  /** Its path is absolute. */
  readonly loadable: Loadable;
  /** Name of the file or folder. */
  readonly name: string;
  /** It has a chat template. */
  readonly chats: boolean;
  /** Of a GGUF file: the longest text, in tokens. */
  readonly context?: number;
}

/** @param given a GGUF file, an ONNX folder, or the folder of a checkpoint @throws UserError for anything else */
export async function projectModel(given: string): Promise<ProjectModel> {
  const path = resolve(given);
  const isFolder = await folderAt(path);
  const [loadable] = await loadablesAt(path);
  if (loadable.format === 'gguf') return ofGguf(path);
  if (!isFolder) {
    const why = 'it is a file, and not a .gguf file';
    throw new UserError(`${path} cannot be added to a project`, why, 'Name the folder that it is in.');
  }
  const found = loadable.format === 'onnx' ? loadable : await checkpointAt(path);
  if (found.format === 'gguf') return ofGguf(found.path);
  const { text } = await readTemplate(path);
  return { loadable: found, name: basename(path), chats: text !== undefined };
}

/** Its header is read, so that a broken file is refused. */
async function ofGguf(path: string): Promise<ProjectModel> {
  const { name, chats, context } = await ggufFacts(path);
  return { loadable: { format: 'gguf', path }, name, chats, context };
}

/** A folder can hold a GGUF file. @throws UserError when it is not a checkpoint */
async function checkpointAt(path: string): Promise<Loadable> {
  const { format, home, config } = await openCheckpoint(path);
  if (format.startsWith('gguf')) return { format: 'gguf', path: home };
  return { format: 'safetensors', path, isStock: !isRagged(config ?? {}) };
}

async function folderAt(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new UserError(`Cannot read ${path}`, 'there is no such file or folder', 'Check the path.', { cause: error });
  }
}

/** A file of the model, and its name within a copy. */
export interface ModelFile {
  readonly file: string;
  readonly name: string;
}

/** What a copy of the model consists of: all parts of a GGUF file; of a folder everything but its examples and hidden files. */
export async function modelFiles({ format, path }: Loadable): Promise<ModelFile[]> {
  if (format === 'gguf') return (await partsOf(path)).map((file) => ({ file, name: basename(file) }));
  return filesBelow(path, '');
}

const LEFT_OUT = 'examples';

async function filesBelow(folder: string, start: string): Promise<ModelFile[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.') && !(start === '' && name === LEFT_OUT));
  const found = names.sort().map(async (name): Promise<ModelFile[]> => {
    const file = join(folder, name);
    const stats = await stat(file); // links, as of a cache, are followed
    if (stats.isDirectory()) return filesBelow(file, `${start}${name}/`);
    return stats.isFile() ? [{ file, name: start + name }] : [];
  });
  return (await Promise.all(found)).flat();
}
