/** Keeps the last few files open, because neighbouring tensors are in the same file. */
import { RegularFile, type Seen } from './regular-file';

const MAX_OPEN = 8;

export class OpenFiles {
  /** In the order of opening. Includes files that are still being opened. */
  readonly #files = new Map<string, Promise<RegularFile>>();

  /** @param seen is told what is read of the files */
  constructor(private readonly seen?: Seen) {}

  /**
   * The file at the path `file`, open for reading. It remains open until other files replace it, or until `close`.
   * @param name of the file in messages; the whole path by default, since source and copy may have the same name
   * @throws UserError when it cannot be opened
   */
  async get(file: string, name = file): Promise<RegularFile> {
    const known = this.#files.get(file);
    if (known) return known;
    const opening = RegularFile.open(file, name, this.seen);
    this.#files.set(file, opening);
    try {
      const opened = await opening; // first, so that its failure never goes unhandled while others are being closed
      await this.closeOldest();
      return opened;
    } catch (error) {
      if (this.#files.get(file) === opening) this.#files.delete(file);
      throw error;
    }
  }

  private async closeOldest(): Promise<void> {
    for (const [oldest, opening] of this.#files) {
      if (this.#files.size <= MAX_OPEN) return;
      this.#files.delete(oldest);
      await closed(opening);
    }
  }

  /** Closes all files; `get` opens them again. */
  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map(closed));
  }
}

/** A file that could not be opened needs no closing. */
async function closed(opening: Promise<RegularFile>): Promise<void> {
  await opening.then(
    (file) => file.close(),
    () => undefined,
  );
}
