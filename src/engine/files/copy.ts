/** Copies byte ranges of files without decoding them. The disk writes while the next bytes are read. */
import { writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { throwIfCancelled } from '../errors';
import { RegularFile } from './regular-file';
import type { OutputFile } from './output-file';

/** `bytes` bytes of `file` from `offset`. */
export interface ByteRange {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Called with the number of bytes after every written piece. */
  readonly onBytes?: (bytes: number) => void;
  readonly bufferBytes?: number;
}

/** Small enough to remain in the processor's cache between reading and writing. Larger buffers halve the rate. */
const BUFFER_BYTES = 256 * 1024;

/** Buffers to copy before yielding the thread: a few milliseconds, unless the disk is slow. */
const BUFFERS_IN_A_ROW = 8;

/** Joins adjacent ranges of the same file. Whole blocks are then copied at once. */
function joinRanges(ranges: Iterable<ByteRange>): ByteRange[] {
  const joined: { file: string; offset: number; bytes: number }[] = [];
  for (const { file, offset, bytes } of ranges) {
    const last = joined.at(-1);
    if (last?.file === file && last.offset + last.bytes === offset) last.bytes += bytes;
    else joined.push({ file, offset, bytes });
  }
  return joined;
}

/**
 * Writes `ranges`, one after the other, into `target` from `position`.
 * @throws UserError when a source cannot be read to its end; system errors of the target, unchanged.
 */
export async function copyRanges(
  target: OutputFile,
  position: number,
  ranges: Iterable<ByteRange>,
  options: CopyOptions = {},
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(options.bufferBytes ?? BUFFER_BYTES);
  const stretch = BUFFERS_IN_A_ROW * buffer.length;
  let source: { readonly file: string; readonly opened: RegularFile } | undefined;
  try {
    for (const { file, offset, bytes } of joinRanges(ranges)) {
      if (source?.file !== file) {
        await source?.opened.close();
        source = undefined;
        source = { file, opened: await RegularFile.open(file, file) };
      }
      for (let done = 0; done < bytes;) {
        throwIfCancelled(options.signal);
        const length = Math.min(stretch - (position % stretch), bytes - done);
        copyStretch(source.opened, offset + done, target.handle, position, length, buffer);
        done += length;
        position += length;
        options.onBytes?.(length);
        await target.wrote(length);
        await setImmediate();
      }
    }
  } finally {
    await source?.opened.close();
  }
}

/**
 * Copies `length` bytes, one buffer at a time. The calls are synchronous, because passing every buffer to a thread and
 * back costs more than copying it, especially on a busy machine.
 */
function copyStretch(
  source: RegularFile,
  from: number,
  target: FileHandle,
  to: number,
  length: number,
  buffer: Buffer,
): void {
  for (let done = 0; done < length;) {
    // Writes whole pages of the target, because a page that is written in two parts costs twice.
    const wanted = Math.min(buffer.length - ((to + done) % buffer.length), length - done);
    const read = source.readSome(buffer, wanted, from + done);
    for (let written = 0; written < read;) {
      written += writeSync(target.fd, buffer, written, read - written, to + done + written);
    }
    done += read;
  }
}
