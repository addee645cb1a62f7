/** The last few files that were read from, kept open: neighbouring tensors share them. */
import { open, type FileHandle } from 'node:fs/promises';

const MOST_OPEN = 8;

export class OpenFiles {
  readonly #handles = new Map<string, FileHandle>();

  async get(file: string): Promise<FileHandle> {
    const known = this.#handles.get(file);
    if (known) return known;
    for (const [oldest, handle] of this.#handles) {
      if (this.#handles.size < MOST_OPEN) break;
      this.#handles.delete(oldest);
      await handle.close();
    }
    const handle = await open(file, 'r');
    this.#handles.set(file, handle);
    return handle;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#handles.values()].map((handle) => handle.close()));
  }
}
