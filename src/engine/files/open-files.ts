/** The last few files that were read from, kept open: neighbouring tensors share them. */
import { RegularFile } from './regular-file';

const MAX_OPEN = 8;

export class OpenFiles {
  readonly #files = new Map<string, RegularFile>();

  /** @throws UserError naming the whole path: source and copy may have the same name */
  async get(file: string): Promise<RegularFile> {
    const known = this.#files.get(file);
    if (known) return known;
    for (const [oldest, least] of this.#files) {
      if (this.#files.size < MAX_OPEN) break;
      this.#files.delete(oldest);
      await least.close();
    }
    const opened = await RegularFile.open(file, file);
    this.#files.set(file, opened);
    return opened;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.close()));
  }
}
