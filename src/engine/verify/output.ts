/** What an export wrote, found by its path: the format, and the record of the run that wrote it. */
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../errors';
import { recordInGguf } from '../records/in-gguf';
import { recordIn, type RunRecord } from '../records/record';
import { type ExportFormat, formatOfFile } from '../write/formats';
import { ONNX_FOLDER } from '../write/onnx/kinds';

export interface Output {
  /** Absolute. */
  readonly path: string;
  readonly format: ExportFormat;
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
  const format = await formatAt(path);
  if (format === 'gguf') {
    const own = await recordInGguf(path);
    return { path, format, beside, ...(own && { record: own }) };
  }
  const folder = isFolder ? path : beside;
  const record = await recordIn(folder);
  return { path, format, beside: dirname(folder), ...(record && { record }) };
}

/** The format of a model that was written to this path. */
export const formatAt = async (path: string): Promise<ExportFormat> =>
  formatOfFile(path) ?? ((await kindOf(join(path, ONNX_FOLDER))) ? 'onnx' : 'safetensors');

/** Whether it is a folder; undefined if it is not there. */
async function kindOf(path: string): Promise<boolean | undefined> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
