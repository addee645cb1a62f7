/**
 * Writes a file and flushes it to the disk piece by piece. A single flush at the end would leave the disk idle until
 * then.
 */
import { open, type FileHandle } from 'node:fs/promises';

/** Bytes between two flushes. */
const FLUSH_INTERVAL_BYTES = 64 * 1024 * 1024;

export class OutputFile {
  /** The latest flush, complete or not. */
  #pending: Promise<void> = Promise.resolve();
  #unflushed = 0;

  private constructor(readonly handle: FileHandle) {}

  /** Creates the file at `path`, which must not exist, lets `fill` write it, and flushes and closes it. */
  static async fill(path: string, fill: (file: OutputFile) => Promise<unknown>): Promise<void> {
    const file = new OutputFile(await open(path, 'wx'));
    try {
      await fill(file);
      await file.#pending;
      await file.handle.sync();
    } finally {
      await Promise.allSettled([file.#pending]);
      await file.handle.close();
    }
  }

  /** Reports written bytes. Starts a flush now and then, and waits only for an unfinished earlier flush. */
  async wrote(bytes: number): Promise<void> {
    this.#unflushed += bytes;
    if (this.#unflushed < FLUSH_INTERVAL_BYTES) return;
    this.#unflushed = 0;
    await this.#pending;
    this.#pending = this.handle.datasync();
    this.#pending.catch(() => undefined); // reported when it is awaited, not earlier as an unhandled rejection
  }
}
