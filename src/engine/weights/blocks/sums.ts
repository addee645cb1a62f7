/**
 * Digests of a file of quantized weights, one for each piece. All are compared when the file is opened, before a number comes
 * from it: a power cut or a bad disk would change the numbers without a word.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { RegularFile } from '../../files/regular-file';
import { type JobOptions, Work } from '../../progress';

/** Bytes that one digest is of. */
const PIECE = 2 ** 26;
/** Bytes that are read at a time. */
const READ = 2 ** 22;

/** The digests of a file whose data are not written yet: as many, and as long. */
export const blankSums = (bytes: number): string[] => Array<string>(Math.ceil(bytes / PIECE)).fill('0'.repeat(64));

/**
 * SHA-256 (hex) of each piece of the data.
 * @param start where the data begin @param bytes of the data
 * @throws UserError when the file cannot be read; CancelledError
 */
export async function sumsOf(path: string, start: number, bytes: number, job: JobOptions = {}): Promise<string[]> {
  const work = new Work(job, bytes, 'bytes', 'checking the quantized weights');
  const file = await RegularFile.open(path);
  const buffer = Buffer.alloc(Math.min(READ, bytes));
  const sums: string[] = [];
  try {
    for (let from = 0; from < bytes; from += PIECE) {
      const hash = createHash('sha256');
      const end = Math.min(bytes, from + PIECE);
      for (let at = from; at < end; at += READ) {
        const part = buffer.subarray(0, Math.min(READ, end - at));
        await file.readInto(part, start + at);
        hash.update(part);
        work.advance(part.length);
      }
      sums.push(hash.digest('hex'));
    }
  } finally {
    await file.close();
  }
  return sums;
}

/** Whether a note's digests are those of the data. @throws CancelledError */
export async function haveSums(
  noted: unknown,
  path: string,
  start: number,
  bytes: number,
  job: JobOptions,
): Promise<boolean> {
  if (!Array.isArray(noted) || noted.length !== blankSums(bytes).length) return false;
  return isDeepStrictEqual(noted, await sumsOf(path, start, bytes, job));
}
