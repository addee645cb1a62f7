/**
 * A file of a teacher's last hidden states over rows of text. Rows are added one by one, so a process that is killed leaves all
 * but the last. The file names its teacher. A file of another one is begun anew, and so is the part behind a record that is
 * not whole.
 *
 * A record: the first 16 bytes of SHA-256 of the row's ids (int32), its tokens (uint32), then its states, (tokens, hidden), in
 * float16 and of unit size, which the final norm undoes.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { packStates, unitStateBytes, unpackStates } from '../../formats/unit-states';
import { cannotWrite } from '../../system-failure';

const MAGIC = 'coppice-taught-1';
/** The magic, and the teacher's key: SHA-256. */
const HEADER_BYTES = MAGIC.length + 32;
const RECORD_HEADER_BYTES = 20;
/** Rows of a training are much shorter. */
const MOST_TOKENS = 2 ** 20;

/** Whose states are kept. */
export interface KeptFrom {
  /** Identifies the teacher: the same for equal weights and parts. */
  readonly teacher: string;
  /** Width of a state. */
  readonly hidden: number;
}

export class KeptStatesFile {
  /** Where each row's states are, by its hash. */
  private readonly places = new Map<string, { readonly at: number; readonly tokens: number }>();
  private end = HEADER_BYTES;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly from: KeptFrom,
  ) {}

  /** @throws UserError when the file cannot be read or written */
  static async open(path: string, from: KeptFrom): Promise<KeptStatesFile> {
    try {
      await (await open(path, 'a')).close(); // makes it, and changes nothing
      const kept = new KeptStatesFile(path, await open(path, 'r+'), from);
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

  /** The states of a row, (tokens, hidden); undefined if none are kept, or if they are damaged. @throws UserError */
  async read(row: ArrayLike<number>): Promise<Float32Array | undefined> {
    const key = keyOf(row);
    const place = this.places.get(key);
    if (place?.tokens !== row.length) return undefined;
    const bytes = new Uint8Array(row.length * unitStateBytes(this.from.hidden));
    try {
      const { bytesRead } = await this.file.read(bytes, 0, bytes.length, place.at);
      const states = unpackStates(bytes);
      if (bytesRead === bytes.length && states.every(Number.isFinite)) return states;
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
    this.places.delete(key);
    return undefined;
  }

  /** Adds a row. @param states (tokens, hidden) @throws UserError when the disk is full */
  async add(row: ArrayLike<number>, states: Float32Array): Promise<void> {
    const key = keyOf(row);
    const record = Buffer.alloc(RECORD_HEADER_BYTES + row.length * unitStateBytes(this.from.hidden));
    record.write(key, 'hex');
    record.writeUInt32LE(row.length, 16);
    packStates(states, this.from.hidden, record.subarray(RECORD_HEADER_BYTES));
    try {
      await this.file.write(record, 0, record.length, this.end);
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
    this.places.set(key, { at: this.end + RECORD_HEADER_BYTES, tokens: row.length });
    this.end += record.length;
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Finds the rows of an existing file, and cuts off what is not whole. */
  private async find(): Promise<void> {
    const { file, from } = this;
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
      const next = this.end + RECORD_HEADER_BYTES + tokens * unitStateBytes(from.hidden);
      if (tokens === 0 || tokens > MOST_TOKENS || next > size) break;
      this.places.set(record.toString('hex', 0, 16), { at: this.end + RECORD_HEADER_BYTES, tokens });
      this.end = next;
    }
    await file.truncate(this.end);
  }
}

const keyHash = ({ teacher, hidden }: KeptFrom): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([teacher, hidden]))
    .digest();

/** 16 bytes in hexadecimal digits. */
function keyOf(row: ArrayLike<number>): string {
  const ids = Int32Array.from(row);
  return createHash('sha256').update(new Uint8Array(ids.buffer)).digest('hex').slice(0, 32);
}
