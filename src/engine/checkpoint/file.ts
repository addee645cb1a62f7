/** Ranged and bounded reads of a checkpoint's files, with the errors that a user can act on. */
import { constants, lstatSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { systemErrorCode, UserError } from '../errors';

/** The file ended before the bytes that its size promised. */
class EndOfFile extends Error {}

/** Opens a regular file for reading, runs `use` with it and its size, and closes it. */
export async function withFile<T>(path: string, use: (handle: FileHandle, bytes: number) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever. (Windows has neither.)
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      throw new UserError(
        `Cannot read ${basename(path)}`,
        'it is not a regular file',
        'Name a file or a model folder.',
      );
    }
    return await use(handle, stat.size);
  } catch (error) {
    if (error instanceof EndOfFile || systemErrorCode(error) !== undefined) throw unreadable(path, error);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Exactly `length` bytes from `position`; the caller has capped both. For use within `withFile`. */
export async function readRange(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  await readInto(handle, buffer, position);
  return buffer;
}

/** Fills `buffer` with the bytes from `position`. For use within `withFile`. */
export async function readInto(handle: FileHandle, buffer: Uint8Array, position: number): Promise<void> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) throw new EndOfFile();
    filled += bytesRead;
  }
}

/** A whole small file of at most `most` bytes. */
export async function readSmallFile(path: string, most: number): Promise<Buffer> {
  return withFile(path, async (handle, bytes) => {
    if (bytes > most) {
      throw new UserError(
        `Cannot read ${basename(path)}`,
        `it has ${bytes} bytes, more than the ${most} that such a file may have`,
        'Check that it is the right file.',
      );
    }
    return readRange(handle, 0, bytes);
  });
}

/** Deleting blobs from the Hugging Face cache leaves the snapshots' links behind. */
function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function unreadable(path: string, error: unknown): UserError {
  const options = { cause: error };
  const what = `Cannot read ${basename(path)}`;
  if (error instanceof EndOfFile) {
    return new UserError(what, 'it became shorter while it was read', 'Wait until it is complete.', options);
  }
  switch (systemErrorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return isLink(path)
        ? new UserError(what, 'it is a link whose target is gone', 'Download the model again.', options)
        : new UserError(what, `there is no ${path}`, 'Check the path.', options);
    case 'EACCES':
    case 'EPERM':
      return new UserError(what, 'its permissions do not allow reading', `Allow reading ${path}.`, options);
    case 'EISDIR':
      return new UserError(what, 'it is a folder', 'Name a file or a model folder.', options);
    default:
      return new UserError(
        what,
        error instanceof Error ? error.message : String(error),
        'Check the disk and try again.',
        options,
      );
  }
}
