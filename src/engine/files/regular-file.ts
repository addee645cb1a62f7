/**
 * Opens every file that Coppice did not just create itself. It opens regular files only and never blocks on opening or
 * reading: a named pipe without a writer would block for ever, and a device such as /dev/zero has no end.
 */
import { createHash } from 'node:crypto';
import { constants, lstatSync, readSync, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { systemErrorCode, UserError } from '../errors';
import { type JobOptions, Work } from '../progress';
import { systemReason, type SystemReason } from '../system-failure';

/** O_NONBLOCK: opening does not block if a pipe replaces the file at this moment. (Windows has neither.) */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** Bytes that this thread reads itself: another one would take longer to begin than to read a row of an embedding. */
const SHORT = 2 ** 14;

/** Is told what was read, before its reader gets it. */
export type Seen = (path: string, position: number, bytes: Uint8Array) => Promise<void>;

/** A regular file, open for reading. Its errors name it. */
export class RegularFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
    private readonly name: string,
    /** Stats of the open file, so size, time and inode match the bytes read. */
    readonly stats: Stats,
    private readonly seen?: Seen,
  ) {}

  /**
   * Opens `path`; the caller closes it.
   * @param name of the file in messages
   * @param seen is told what `readInto` and `readRange` read
   * @throws UserError when it cannot be read, or is a folder, pipe, device or socket
   */
  static async open(path: string, name = basename(path), seen?: Seen): Promise<RegularFile> {
    let handle: FileHandle | undefined;
    try {
      // Checked before opening too, so that the writer of a pipe does not see a reader that closes at once.
      requireRegular(await stat(path), name);
      handle = await open(path, READ);
      const stats = await handle.stat();
      requireRegular(stats, name);
      return new RegularFile(handle, path, name, stats, seen);
    } catch (error) {
      await handle?.close();
      throw unreadable(path, name, error);
    }
  }

  /** Its size at opening. */
  get bytes(): number {
    return this.stats.size;
  }

  /** Exactly `length` bytes from `position`; the caller caps both. @throws UserError when they cannot be read */
  async readRange(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.alloc(length);
    await this.readInto(buffer, position);
    return buffer;
  }

  /** Fills `buffer` with the bytes from `position`. @throws UserError when they cannot be read */
  async readInto(buffer: Uint8Array, position: number): Promise<void> {
    for (let filled = 0; filled < buffer.length;) {
      const length = buffer.length - filled;
      if (length <= SHORT) {
        filled += this.readSome(buffer.subarray(filled), length, position + filled);
        continue;
      }
      const { bytesRead } = await this.handle.read(buffer, filled, length, position + filled).catch(this.refuse);
      if (bytesRead === 0) throw this.cutShort();
      filled += bytesRead;
    }
    await this.seen?.(this.path, position, buffer);
  }

  /**
   * Reads up to `length` bytes from `position` into the start of `buffer`, in this thread.
   * @returns the number of bytes read, at least 1
   * @throws UserError if no byte can be read
   */
  readSome(buffer: Uint8Array, length: number, position: number): number {
    let read: number;
    try {
      read = readSync(this.handle.fd, buffer, 0, length, position);
    } catch (error) {
      return this.refuse(error);
    }
    if (read === 0) throw this.cutShort();
    return read;
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private readonly refuse = (error: unknown): never => {
    throw unreadable(this.path, this.name, error);
  };

  private cutShort(): UserError {
    const why = 'it became shorter while it was read';
    return new UserError(`Cannot read ${this.name}`, why, 'Wait until it is complete, and run again.');
  }
}

/** Opens a regular file, runs `use` with it, and closes it. @throws UserError as `RegularFile.open` does */
export async function withFile<T>(path: string, use: (file: RegularFile) => Promise<T>, name?: string): Promise<T> {
  const file = await RegularFile.open(path, name);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** A whole file of at most `most` bytes. @throws UserError */
export async function readSmallFile(path: string, most: number): Promise<Buffer> {
  return withFile(path, (file) => readWhole(file, basename(path), most));
}

/** The same for an open file. Messages call it `name`. @throws UserError */
export async function readWhole(file: RegularFile, name: string, most: number): Promise<Buffer> {
  if (file.bytes <= most) return file.readRange(0, file.bytes);
  const why = `it has ${file.bytes} bytes, more than the ${most} that such a file may have`;
  throw new UserError(`Cannot read ${name}`, why, 'Check that it is the right file.');
}

/** Bytes to hash between two checks of the signal. */
const HASH_PIECE = 2 ** 20;

/** SHA-256 (hex) of a regular file's bytes. @param label of the progress @throws UserError, CancelledError */
export async function hashFile(
  path: string,
  label = `reading ${basename(path)}`,
  job: JobOptions = {},
): Promise<string> {
  return withFile(path, async (file) => {
    const { bytes } = file;
    const work = new Work(job, bytes, 'bytes', label);
    const hash = createHash('sha256');
    const piece = Buffer.alloc(Math.min(HASH_PIECE, bytes));
    for (let at = 0; at < bytes; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, bytes - at));
      await file.readInto(part, at);
      hash.update(part);
      work.advance(part.length);
    }
    return hash.digest('hex');
  });
}

/** An error of opening or reading the file, as a `UserError` if the system reported it; any other error unchanged. */
function unreadable(path: string, name: string, error: unknown): unknown {
  const reason = reasonOf(path, name, error);
  return reason ? new UserError(`Cannot read ${name}`, reason.why, reason.action, { cause: error }) : error;
}

function reasonOf(path: string, name: string, error: unknown): SystemReason | undefined {
  switch (systemErrorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return isLink(path)
        ? { why: 'it is a link, and its target does not exist', action: 'Download the model again.' }
        : { why: name === path ? 'there is no such file' : `there is no ${path}`, action: 'Check the path.' };
    case 'EACCES':
    case 'EPERM':
      return { why: 'its permissions do not allow reading', action: `Allow reading ${path}.` };
    default:
      return systemReason(error);
  }
}

/** Deleting blobs from the Hugging Face cache leaves the snapshots' links behind. */
function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function requireRegular(stats: Stats, name: string): void {
  if (stats.isFile()) return;
  const what = `Cannot read ${name}`;
  if (stats.isDirectory()) throw new UserError(what, 'it is a folder, not a regular file', 'Name a file.');
  const kind = stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device';
  const action = stats.isFIFO() ? 'Write its content to a file, and name that.' : 'Name a regular file.';
  throw new UserError(what, `it is ${kind}, not a regular file`, action);
}
