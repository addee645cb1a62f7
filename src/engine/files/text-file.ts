/**
 * Reads a whole text file. Caps the size before allocation, checks UTF-8, and hashes the bytes of the file with
 * SHA-256.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../errors';
import { withFile } from './regular-file';

export interface TextFile {
  /** The content, without a leading byte order mark. */
  readonly text: string;
  /** SHA-256 (hex) of the file's bytes. */
  readonly sha256: string;
  readonly bytes: number;
}

const MiB = 2 ** 20;

/**
 * Reads `path`. `capBytes` is the largest accepted size. `capReason` tells the user the usual size. Throws `UserError`
 * if the file is missing, unreadable, not a regular file, too large or not UTF-8.
 */
export async function readTextFile(path: string, capBytes: number, capReason: string): Promise<TextFile> {
  const bytes = await readCapped(path, capBytes, capReason);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError(`Cannot read ${path}`, 'it is not UTF-8 text', 'Convert the file to UTF-8 and try again.', {
      cause: error,
    });
  }
  return { text, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

function readCapped(path: string, capBytes: number, capReason: string): Promise<Buffer> {
  return withFile(
    path,
    async (file) => {
      if (file.bytes <= capBytes) return file.readRange(0, file.bytes);
      const mebibytes = (file.bytes / MiB).toFixed(1);
      const cap = Number((capBytes / MiB).toFixed(1));
      throw new UserError(
        `Cannot read ${path}`,
        `it has ${mebibytes} MiB, more than the ${cap} MiB allowed`,
        capReason,
      );
    },
    path,
  );
}
