/**
 * A checkpoint file as the editor shows it: described for people, with its tensors behind it. Never throws for what is
 * wrong with a file: that is part of what is shown.
 */
import { isGguf } from '../engine/formats/gguf/file';
import type { FileDescription, TensorRow } from '../protocol/editor';
import { inspectGguf } from './inspect-gguf';
import { inspectSafetensors } from './inspect-safetensors';

export interface Inspection {
  readonly description: FileDescription;
  /** In the order of the file. */
  readonly rows: readonly TensorRow[];
}

/** Reads headers, never tensor data. Throws only what is a bug. */
export async function inspectFile(path: string): Promise<Inspection> {
  return (await isGguf(path)) ? inspectGguf(path) : inspectSafetensors(path);
}
