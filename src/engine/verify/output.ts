/** What an export wrote, found by its path: the format, and the record of the run that wrote it. */
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../errors';
import { recordInGguf } from '../records/in-gguf';
import { recordIn, type RunRecord } from '../records/record';
import { ONNX_FOLDER } from '../write/onnx/kinds';

export interface Output {
  /** Absolute. */
  readonly path: string;
  readonly format: 'safetensors' | 'gguf' | 'onnx';
  /** The folder that it lies in, and where its source may lie too. */
  readonly beside: string;
  /** Undefined for files of other programs. */
  readonly record?: RunRecord;
}

/** @throws UserError if there is nothing */
export async function openOutput(given: string): Promise<Output> {
  const path = resolve(given);
  const isFolder = await kindOf(path);
  if (isFolder === undefined) throw new UserError(`Cannot read ${path}`, 'there is no such file', 'Check the path.');
  const beside = dirname(path);
  if (/\.gguf$/i.test(path)) {
    const own = await recordInGguf(path);
    return { path, format: 'gguf', beside, ...(own && { record: own }) };
  }
  const folder = isFolder ? path : beside;
  const record = await recordIn(folder);
  const isOnnx = isFolder && (await kindOf(join(path, ONNX_FOLDER))) === true;
  const format = isOnnx ? 'onnx' : 'safetensors';
  return { path, format, beside: dirname(folder), ...(record && { record }) };
}

/** Whether it is a folder; undefined if it is not there. */
async function kindOf(path: string): Promise<boolean | undefined> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
