/** A file of a model that can be added to a place. */
import { realpath, stat } from 'node:fs/promises';

export interface ModelFile {
  /** Below the model's folder, with "/". */
  readonly path: string;
  /** Absolute, links resolved. */
  readonly file: string;
  readonly bytes: number;
}

export async function fileAt(path: string, at: string): Promise<ModelFile> {
  const file = await realpath(at);
  return { path, file, bytes: (await stat(file)).size };
}
