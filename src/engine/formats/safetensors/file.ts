/**
 * One safetensors file: 8 bytes of header length (little-endian), a JSON header of that many bytes (header.ts), then
 * the tensors' bytes to the end of the file. Only the header is read, in one or two ranged reads.
 */
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { counted } from '../../../format/words';
import type { UserError } from '../../errors';
import { refuse, type Report } from '../damage';
import { notSafetensors } from '../not-safetensors';
import { type RegularFile, withFile } from '../../files/regular-file';
import { damaged, LENGTH_BYTES, parseHeader } from './header';
import { FIRST_READ_BYTES, MAX_HEADER_BYTES } from '../limits';
import { type FileStamp, stampOf } from '../../files/stamps';
import type { TensorInfo } from '../tensor';

/** One safetensors file of a checkpoint. */
export interface Shard {
  /** File name as the checkpoint names it ("model-00001-of-00002.safetensors"). */
  readonly name: string;
  /** Absolute path, symbolic links resolved. */
  readonly file: string;
  readonly bytes: number;
  /** The `__metadata__` of its header. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ShardHeader {
  readonly shard: Shard;
  readonly stamp: FileStamp;
  /** In the order of their bytes. */
  readonly tensors: readonly TensorInfo[];
  /** SHA-256 of the bytes of the header's JSON. */
  readonly digest: Buffer;
}

/**
 * Reads and checks the header of the shard at `path`, known to the checkpoint as `name`. Throws `UserError`. If
 * `report` returns, reading continues with the rest of the header.
 */
export async function readShardHeader(path: string, name: string, report: Report = refuse): Promise<ShardHeader> {
  return withFile(path, async (opened) => {
    const { bytes } = opened;
    const file = await realpath(path);
    const json = await readHeaderBytes(opened, name);
    const { metadata, tensors } = parseHeader(json, { name, file, bytes }, report);
    const digest = createHash('sha256').update(json).digest();
    return { shard: { name, file, bytes, metadata }, stamp: stampOf(name, file, opened.stats), tensors, digest };
  });
}

async function readHeaderBytes(file: RegularFile, name: string): Promise<Buffer> {
  const { bytes } = file;
  const start = await file.readRange(0, Math.min(bytes, FIRST_READ_BYTES));
  const bad = (why: string): UserError => notSafetensors(start, name) ?? damaged(name, 'header length', why, 0);
  if (start.length < LENGTH_BYTES)
    throw bad(`the file has ${counted(bytes, 'byte')}, fewer than the 8 of the header length`);
  const length = start.readBigUInt64LE(0);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw bad(`it says ${length} bytes, more than the ${MAX_HEADER_BYTES} that the format allows`);
  }
  const end = LENGTH_BYTES + Number(length);
  if (end > bytes) throw bad(`it says ${counted(Number(length), 'byte')}, but the file ends after ${bytes}`);
  return end <= start.length ? start.subarray(LENGTH_BYTES, end) : file.readRange(LENGTH_BYTES, Number(length));
}
