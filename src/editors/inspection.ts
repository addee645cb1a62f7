/** Describes a checkpoint file for the editor, with its tensors. Problems of the file are a part of the description. */
import { isGguf } from '../engine/formats/gguf/file';
import type { FileDescription, TensorRow } from '../protocol/editor';
import { inspectGguf } from './inspect-gguf';
import { inspectSafetensors } from './inspect-safetensors';

export interface Inspection {
  readonly description: FileDescription;
  /** The tensors in the order of the file. */
  readonly rows: readonly TensorRow[];
}

/** Reads headers, never tensor data. It throws only for bugs. */
export async function inspectFile(path: string): Promise<Inspection> {
  return (await isGguf(path)) ? inspectGguf(path) : inspectSafetensors(path);
}
