/** Copies byte ranges of files: nothing is decoded, and reading runs ahead of writing by one buffer. */
import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { systemErrorCode, throwIfCancelled, UserError } from '../errors';

/** `bytes` bytes of `file` from `offset`. */
export interface ByteRange {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Called with the size of every piece once it is written. */
  readonly onBytes?: (bytes: number) => void;
  /** Size of each of the two buffers. */
  readonly bufferBytes?: number;
}

/** Large enough that the cost of a call vanishes, small enough to stay in the processor's cache. */
const BUFFER_BYTES = 2 * 1024 * 1024;

/** Bytes between two requests to the disk to start writing; one flush at the end would leave it idle until then. */
const FLUSH_INTERVAL_BYTES = 64 * 1024 * 1024;

/** Joins ranges that follow each other in the same file: whole blocks then travel as one. */
export function joinRanges(ranges: Iterable<ByteRange>): ByteRange[] {
  const joined: { file: string; offset: number; bytes: number }[] = [];
  for (const { file, offset, bytes } of ranges) {
    const last = joined.at(-1);
    if (last?.file === file && last.offset + last.bytes === offset) last.bytes += bytes;
    else joined.push({ file, offset, bytes });
  }
  return joined;
}

/**
 * Writes `ranges`, one after the other, into `target` from `position`, and flushes it to the disk.
 * @throws UserError when a source cannot be read to its end; system errors of the target as they are.
 */
export async function copyRanges(
  target: FileHandle,
  position: number,
  ranges: Iterable<ByteRange>,
  options: CopyOptions = {},
): Promise<void> {
  const size = options.bufferBytes ?? BUFFER_BYTES;
  const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  let writing: Promise<void> = Promise.resolve();
  let flushing: Promise<void> = Promise.resolve();
  let unflushed = 0;
  let turn = 0;
  let end = position;
  let source: { file: string; handle: FileHandle } | undefined;
  try {
    for (const range of joinRanges(ranges)) {
      if (source?.file !== range.file) {
        await source?.handle.close();
        source = undefined;
        source = { file: range.file, handle: await openSource(range.file) };
      }
      for (let done = 0; done < range.bytes;) {
        throwIfCancelled(options.signal);
        const length = Math.min(size, range.bytes - done);
        const buffer = buffers[turn].subarray(0, length);
        await readFully(source.handle, buffer, range.offset + done, range.file);
        await writing;
        if (unflushed >= FLUSH_INTERVAL_BYTES) {
          await flushing;
          flushing = later(target.datasync());
          unflushed = 0;
        }
        writing = later(writeFully(target, buffer, end).then(() => options.onBytes?.(length)));
        end += length;
        done += length;
        unflushed += length;
        turn = 1 - turn;
      }
    }
    await writing;
    await flushing;
    await target.sync();
  } finally {
    await Promise.allSettled([writing, flushing, source?.handle.close()]);
  }
}

/** A promise that is awaited only after other work; its failure is seen there, not as an unhandled one before. */
function later(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}

async function openSource(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw unreadable(file, systemErrorCode(error) ?? 'unknown error', error);
  }
}

async function readFully(source: FileHandle, buffer: Buffer, position: number, file: string): Promise<void> {
  for (let filled = 0; filled < buffer.length;) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await source.read(buffer, filled, buffer.length - filled, position + filled));
    } catch (error) {
      throw unreadable(file, systemErrorCode(error) ?? 'unknown error', error);
    }
    if (bytesRead === 0) throw unreadable(file, 'it ends earlier than its header said when it was opened');
    filled += bytesRead;
  }
}

async function writeFully(target: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let written = 0; written < buffer.length;) {
    written += (await target.write(buffer, written, buffer.length - written, position + written)).bytesWritten;
  }
}

function unreadable(file: string, why: string, cause?: unknown): UserError {
  return new UserError(`${basename(file)} cannot be read`, why, 'Check the disk and try again.', { cause });
}
