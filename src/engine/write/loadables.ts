/** What there is to load at a path, as its own files say: a GGUF file, the kinds of an ONNX folder, or a checkpoint. */
import { namesIn } from '../files/names';
import { join } from 'node:path';
import { isObject } from '../../format/json';
import { readConfigFile } from '../checkpoint/config-file';
import { UserError } from '../errors';
import { recordIn } from '../records/record';
import type { Loadable } from './loading-code';
import { ONNX_FILES, ONNX_FOLDER, ONNX_KINDS, type OnnxKind, type OnnxTarget } from './onnx/kinds';

/**
 * Never empty. The kinds of an ONNX folder are those whose files are there, the one that transformers.js takes by itself first.
 * @param path a GGUF file, or a folder
 */
export async function loadablesAt(path: string): Promise<readonly Loadable[]> {
  if (/\.gguf$/i.test(path)) return [{ format: 'gguf', path }];
  const models = await namesIn(join(path, ONNX_FOLDER));
  const kinds = ONNX_KINDS.filter((kind) => models.includes(ONNX_FILES[kind]));
  if (kinds.length === 0) return [{ format: 'safetensors', path }];
  const usual = await usualKind(path);
  const target = await targetOf(path);
  const genai = (await namesIn(path)).includes('genai_config.json');
  const sorted = [...kinds.filter((kind) => kind === usual), ...kinds.filter((kind) => kind !== usual)];
  return sorted.map((kind) => ({ format: 'onnx', path, kind, genai, ...(target && { target }) }));
}

/** A config that cannot be read decides nothing. */
async function usualKind(folder: string): Promise<OnnxKind | undefined> {
  try {
    const { value } = await readConfigFile(folder);
    const own = value['transformers.js_config'];
    return isObject(own) ? ONNX_KINDS.find((kind) => kind === own.dtype) : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** What it was written for; without a record of that nobody knows, and the CPU is right for all. */
async function targetOf(folder: string): Promise<OnnxTarget | undefined> {
  const record = await recordIn(folder);
  return record?.settings.target === 'webgpu' ? 'webgpu' : undefined;
}
