/** Ranged and bounded reads of a checkpoint's files, with the errors that a user can act on. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { systemErrorCode, UserError } from '../errors';

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
    throw systemErrorCode(error) === undefined ? error : unreadable(path, error);
  } finally {
    await handle.close();
  }
}

/** Exactly `length` bytes from `position`, which the caller has capped; fewer are an error. */
export async function readRange(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) {
      throw new UserError(
        'Cannot read the file to its end',
        'it became shorter while it was read',
        'Wait until it is written, then try again.',
      );
    }
    filled += bytesRead;
  }
  return buffer;
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

function unreadable(path: string, error: unknown): UserError {
  const options = { cause: error };
  const what = `Cannot read ${basename(path)}`;
  switch (systemErrorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new UserError(what, `there is no ${path}`, 'Check the path.', options);
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
