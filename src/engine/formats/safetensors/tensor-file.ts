/**
 * Small safetensors files that Coppice writes: adapters and training states. Writing is atomic; reading loads the whole
 * file.
 */
import { open, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { readShardHeader } from './file';
import { readTensor } from '../read-tensor';

export interface NamedTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The start of a safetensors file: the length, and the JSON padded to align the tensor data to 8 bytes. */
export function headerBytes(header: object): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded));
  json.copy(bytes, 8);
  return bytes;
}

/**
 * Writes float32 tensors to `path` through a temporary file beside it. A reader finds either the old file or the new
 * one.
 * @throws the system's error (no space, not permitted); no temporary file remains
 */
export async function writeTensorFile(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  let end = 0;
  const entries = [...tensors].map(([name, { shape, values }]) => {
    const start = end;
    end += values.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }] as const;
  });
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(headerBytes({ __metadata__: metadata, ...Object.fromEntries(entries) }));
      for (const { values } of tensors.values()) {
        await file.writeFile(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * All tensors of a file, widened to float32, and its metadata.
 * @throws UserError for a damaged file, or one with other element types
 */
export async function readTensorFile(
  path: string,
): Promise<{ tensors: Map<string, NamedTensor>; metadata: Readonly<Record<string, string>> }> {
  const { shard, tensors } = await readShardHeader(path, basename(path));
  const read = new Map<string, NamedTensor>();
  for (const tensor of tensors) read.set(tensor.name, { shape: tensor.shape, values: await readTensor(tensor) });
  return { tensors: read, metadata: shard.metadata };
}
