/**
 * A file of what a teacher said about rows of text. Rows are added one by one, so a process that is killed leaves all but the last.
 * The file names its teacher and what is kept. A file of another one is emptied, and so is the part behind a record that is
 * not whole.
 *
 * A record: the first 16 bytes of SHA-256 of the row's ids and targets (int32), its tokens (uint32), then its numbers (kept-coding.ts).
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { cannotWrite } from '../../system-failure';
import { codingOf, type KeptCoding, type KeptKind } from './kept-coding';

const MAGIC = 'coppice-taught-2';
/** The magic, and the teacher's key: SHA-256. */
const HEADER_BYTES = MAGIC.length + 32;
const RECORD_HEADER_BYTES = 20;
/** Rows of a training are much shorter. */
const MOST_TOKENS = 2 ** 20;

/** Who said what is kept. */
export interface KeptFrom {
  /** Identifies the teacher: the same for equal weights and parts. */
  readonly teacher: string;
  readonly kind: KeptKind;
  /** Width of a state. */
  readonly hidden: number;
}

/** A row of text, and what its positions are asked for. */
export interface KeptRow {
  readonly ids: ArrayLike<number>;
  /** The next token of each position, or NO_TARGET. */
  readonly targets: ArrayLike<number>;
}

export class KeptRowsFile {
  /** Where each row's numbers are, by its hash. */
  private readonly places = new Map<string, { readonly at: number; readonly tokens: number }>();
  private end = HEADER_BYTES;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly from: KeptFrom,
    private readonly coding: KeptCoding,
  ) {}

  /** @throws UserError when the file cannot be read or written */
  static async open(path: string, from: KeptFrom): Promise<KeptRowsFile> {
    try {
      await (await open(path, 'a')).close(); // makes it, and changes nothing
      const kept = new KeptRowsFile(path, await open(path, 'r+'), from, codingOf(from.kind, from.hidden));
      await kept.find().catch(async (error: unknown) => {
        await kept.close();
        throw error;
      });
      return kept;
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  /** Rows that are kept. */
  get rows(): number {
    return this.places.size;
  }

  /** The numbers of a row; undefined if none are kept, or if they are damaged. @throws UserError */
  async read(row: KeptRow): Promise<Float32Array | undefined> {
    const key = keyOf(row);
    const place = this.places.get(key);
    if (place?.tokens !== row.ids.length) return undefined;
    const bytes = new Uint8Array(row.ids.length * this.coding.bytes);
    try {
      const { bytesRead } = await this.file.read(bytes, 0, bytes.length, place.at);
      const numbers = this.coding.unpack(bytes);
      if (bytesRead === bytes.length && numbers.every(Number.isFinite)) return numbers;
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
    this.places.delete(key);
    return undefined;
  }

  /**
   * Adds a row.
   * @param numbers states (tokens, hidden), or means (tokens, hidden) and then entropies (tokens)
   * @throws UserError when the disk is full
   */
  async add(row: KeptRow, numbers: Float32Array): Promise<void> {
    const key = keyOf(row);
    const { length } = row.ids;
    const record = Buffer.alloc(RECORD_HEADER_BYTES + length * this.coding.bytes);
    record.write(key, 'hex');
    record.writeUInt32LE(length, 16);
    this.coding.pack(numbers, record.subarray(RECORD_HEADER_BYTES));
    // Another row may be added before this one is written.
    const start = this.end;
    this.end += record.length;
    try {
      await this.file.write(record, 0, record.length, start);
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
    this.places.set(key, { at: start + RECORD_HEADER_BYTES, tokens: length });
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Finds the rows of an existing file, and cuts off what is not whole. */
  private async find(): Promise<void> {
    const { file, from, coding } = this;
    const header = Buffer.concat([Buffer.from(MAGIC), keyHash(from)]);
    const { size } = await file.stat();
    const found = Buffer.alloc(HEADER_BYTES);
    await file.read(found, 0, HEADER_BYTES, 0);
    if (size < HEADER_BYTES || !found.equals(header)) {
      await file.truncate(0);
      await file.write(header, 0, HEADER_BYTES, 0);
      return;
    }
    const record = Buffer.alloc(RECORD_HEADER_BYTES);
    while (this.end + RECORD_HEADER_BYTES <= size) {
      await file.read(record, 0, RECORD_HEADER_BYTES, this.end);
      const tokens = record.readUInt32LE(16);
      const next = this.end + RECORD_HEADER_BYTES + tokens * coding.bytes;
      if (tokens === 0 || tokens > MOST_TOKENS || next > size) break;
      this.places.set(record.toString('hex', 0, 16), { at: this.end + RECORD_HEADER_BYTES, tokens });
      this.end = next;
    }
    await file.truncate(this.end);
  }
}

const keyHash = ({ teacher, kind, hidden }: KeptFrom): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([teacher, kind, hidden]))
    .digest();

/** 16 bytes in hexadecimal digits. */
function keyOf({ ids, targets }: KeptRow): string {
  const hash = createHash('sha256');
  for (const part of [ids, targets]) hash.update(new Uint8Array(Int32Array.from(part).buffer));
  return hash.digest('hex').slice(0, 32);
}
