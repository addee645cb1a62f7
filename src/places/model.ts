/** A model that can be added to a place: what it is, by its own files. */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { findAccompanyingFiles } from '../engine/checkpoint/accompanying-files';
import { readConfigFile } from '../engine/checkpoint/config-file';
import { partsOf } from '../engine/checkpoint/gguf/parts';
import { UserError } from '../engine/errors';
import { namesIn } from '../engine/files/names';
import { isGguf } from '../engine/formats/gguf/file';
import { loadablesAt } from '../engine/write/loadables';
import { genaiFiles } from './genai-files';
import { fileAt, type ModelFile } from './model-file';

export type ModelKind = 'gguf' | 'onnx' | 'checkpoint';

export interface PlacedModel {
  readonly kind: ModelKind;
  /** Absolute. */
  readonly path: string;
  /** What programs load; of several GGUF files the first one first. */
  readonly files: readonly ModelFile[];
}

/** @throws UserError where there is no model, or none that programs load */
export async function modelAt(given: string): Promise<PlacedModel> {
  const path = resolve(given);
  const found = await stat(path).catch(() => undefined);
  if (!found) throw noModel(path, 'there is nothing of this name');
  if (found.isFile()) {
    if (!(await isGguf(path))) throw noModel(path, 'it is not a GGUF file');
    const parts = await partsOf(path);
    return { kind: 'gguf', path, files: await Promise.all(parts.map((part) => fileAt(basename(part), part))) };
  }
  const [first] = await loadablesAt(path);
  if (first.format === 'onnx') return { kind: 'onnx', path, files: await genaiFiles(path) };
  return { kind: 'checkpoint', path, files: await checkpointFiles(path) };
}

const WEIGHTS = /\.safetensors(\.index\.json)?$/;
const README = 'README.md';

/** Weights, config, tokenizer and licence. */
async function checkpointFiles(folder: string): Promise<ModelFile[]> {
  const names = await namesIn(folder);
  const weights = names.filter((name) => WEIGHTS.test(name));
  if (weights.length === 0) throw noModel(folder, 'the folder has no weights (.safetensors)');
  const { value } = await readConfigFile(folder);
  if (value.model_type === 'coppice') {
    throw new UserError(
      `${folder} cannot be added`,
      'only Coppice opens it: its blocks differ in width, and other programs have no class for that',
      'Prune by whole blocks instead, or export it as ONNX.',
    );
  }
  const { found } = await findAccompanyingFiles(folder);
  const own = ['config.json', ...(names.includes(README) ? [README] : []), ...weights].sort();
  const first = await Promise.all(own.map((name) => fileAt(name, join(folder, name))));
  return [...first, ...found.map(({ name, file, bytes }) => ({ path: name, file, bytes }))];
}

const noModel = (path: string, why: string): UserError =>
  new UserError(
    `${path} is not a model that can be added`,
    why,
    'Name an exported GGUF file, an exported ONNX folder, or the folder of a checkpoint.',
  );

/** Hugging Face takes 96 with the owner. */
const MOST_SIGNS = 80;

/** The name of a folder or a GGUF file, of letters, digits and the signs that every program takes. */
export function nameOf(path: string): string {
  const name = basename(path)
    .replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/-{2,}/g, '-') // two separate the owner from the name in the cache of Hugging Face
    .replace(/\.{2,}/g, '.')
    .slice(0, MOST_SIGNS)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  return name === '' ? 'model' : name;
}

/** @throws UserError for a name that would lead elsewhere, or that programs do not take */
export function requireName(name: string): string {
  if (name !== '' && nameOf(`${name}.gguf`) === name) return name;
  throw new UserError(
    `${name === '' ? 'An empty name' : name} cannot be the name`,
    `programs take up to ${MOST_SIGNS} letters, digits and . _ - in the name of a model, no two hyphens or dots in a row`,
    `Use ${nameOf(name)}.`,
  );
}
