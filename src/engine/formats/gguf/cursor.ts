/**
 * Reads a GGUF header from front to back in pieces. It allocates memory for a declared length only after checking that
 * the bytes exist.
 */
import { createHash } from 'node:crypto';
import { counted } from '../../../format/words';
import { DamagedFile } from '../damage';
import { MAX_GGUF_HEADER_BYTES } from '../limits';
import { VALUE_BYTES, type GgufValueType } from './types';

/** A source of bytes: a file, or memory. */
export interface ByteSource {
  readonly bytes: number;
  /** Returns exactly `length` bytes. The range is inside the source. */
  read(position: number, length: number): Promise<Buffer>;
}

const PIECE_BYTES = 256 * 1024;

const ACTION = 'Download or copy the file again. If the problem persists, convert the model again.';

/** Types whose values are read in one step. */
export type FixedType = Exclude<GgufValueType, 'string' | 'array'>;

export class GgufCursor {
  /** Position in the file of the next byte to read. */
  position = 0;
  /** What is being read, in the words of messages, and where it began. */
  field = 'header';
  private fieldStart = 0;
  private buffer: Buffer = Buffer.alloc(0);
  private bufferStart = 0;
  private readonly hash = createHash('sha256');

  constructor(
    private readonly source: ByteSource,
    private readonly name: string,
  ) {}

  get bytes(): number {
    return this.source.bytes;
  }

  /** Names what is read from now on. */
  enter(field: string): void {
    this.field = field;
    this.fieldStart = this.position;
  }

  /** The error for what is being read. */
  damaged(why: string, field = this.field, offset = this.fieldStart): DamagedFile {
    return new DamagedFile(this.name, field, `${why} (at byte ${offset})`, ACTION, offset);
  }

  /** Whether `count` more bytes can be read without waiting. */
  has(count: number): boolean {
    return this.position + count <= this.bufferStart + this.buffer.length;
  }

  /** Makes `count` bytes readable, at most a piece. */
  async need(count: number): Promise<void> {
    if (this.has(count)) return;
    this.require(count);
    this.digestConsumed();
    const length = Math.min(Math.max(count, PIECE_BYTES), this.bytes - this.position);
    this.buffer = await this.source.read(this.position, length);
    this.bufferStart = this.position;
  }

  /** Throws unless the file and the maximum size of a header allow `count` more bytes. */
  require(count: number): void {
    const left = this.bytes - this.position;
    if (count > left) throw this.damaged(`it takes ${counted(count, 'byte')}, but the file ends after ${left}`);
    if (this.position + count > MAX_GGUF_HEADER_BYTES) {
      throw this.damaged(`the header is longer than ${MAX_GGUF_HEADER_BYTES} bytes`);
    }
  }

  /** The next value. Call `need` first to make its bytes readable. */
  take(type: FixedType): number | bigint | boolean {
    const at = this.position - this.bufferStart;
    this.position += VALUE_BYTES[type];
    switch (type) {
      case 'u8':
        return this.buffer.readUInt8(at);
      case 'i8':
        return this.buffer.readInt8(at);
      case 'u16':
        return this.buffer.readUInt16LE(at);
      case 'i16':
        return this.buffer.readInt16LE(at);
      case 'u32':
        return this.buffer.readUInt32LE(at);
      case 'i32':
        return this.buffer.readInt32LE(at);
      case 'f32':
        return this.buffer.readFloatLE(at);
      case 'f64':
        return this.buffer.readDoubleLE(at);
      case 'u64':
        return exact(this.buffer.readBigUInt64LE(at));
      case 'i64':
        return exact(this.buffer.readBigInt64LE(at));
      case 'bool':
        return this.boolean(this.buffer.readUInt8(at));
    }
  }

  async u32(): Promise<number> {
    await this.need(4);
    return this.take('u32') as number;
  }

  /** A 64-bit count or length of at most `most`. */
  async count(most: number, of: string): Promise<number> {
    await this.need(8);
    const count = this.take('u64');
    if (typeof count !== 'number' || count > most) throw this.damaged(`${of} is ${String(count)}, more than ${most}`);
    return count;
  }

  /** A string after its length, at most `most` bytes. With `cut`, the beginning of a longer one. */
  async string(most: number, cut = false): Promise<{ readonly text: string; readonly bytes: number }> {
    const bytes = await this.count(cut ? MAX_GGUF_HEADER_BYTES : most, 'the length of the text');
    this.require(bytes);
    const shown = Math.min(bytes, most);
    await this.need(shown);
    const at = this.position - this.bufferStart;
    const text = this.buffer.toString('utf8', at, at + shown);
    this.position += shown;
    await this.skip(bytes - shown);
    return { text, bytes };
  }

  /** Skips `count` bytes piece by piece, because the header's hash includes them. */
  async skip(count: number): Promise<void> {
    this.require(count);
    for (let left = count; left > 0;) {
      const step = Math.min(left, PIECE_BYTES);
      await this.need(step);
      this.position += step;
      left -= step;
    }
  }

  /** SHA-256 of everything read so far; the last call on a cursor. */
  digest(): Buffer {
    this.digestConsumed();
    return this.hash.digest();
  }

  private digestConsumed(): void {
    this.hash.update(this.buffer.subarray(0, this.position - this.bufferStart));
  }

  private boolean(byte: number): boolean {
    if (byte > 1) throw this.damaged(`it is ${byte}, not true (1) or false (0)`);
    return byte === 1;
  }
}

/** Returns a number if that is exact. */
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
