/** The headers of all shards of a checkpoint, read a bounded number at a time, and the tensors in them. */
import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfCancelled, UserError } from '../../errors';
import { printable } from '../bounded-json';
import { MAX_TENSORS, OPEN_SHARDS } from '../limits';
import { readShardHeader, type Shard, type ShardHeader } from './file';
import type { FileStamp } from '../../files/stamps';
import type { TensorInfo } from '../tensor';

export interface ShardSet {
  readonly shards: readonly Shard[];
  readonly stamps: readonly FileStamp[];
  /** By name, in the order of the shards and of the bytes in them. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Tensor name to shard name. */
  readonly shardOf: ReadonlyMap<string, string>;
  /** SHA-256 over every header and file size. */
  readonly digest: Buffer;
}

/** Reads the shards `names` of `folder`; `listedIn` is the index that names them, if any. Throws `UserError`. */
export async function readShards(
  folder: string,
  names: readonly string[],
  listedIn: string | undefined,
  signal?: AbortSignal,
): Promise<ShardSet> {
  const headers = await readHeaders(folder, names, listedIn, signal);
  const tensors = new Map<string, TensorInfo>();
  const shardOf = new Map<string, string>();
  const hash = createHash('sha256');
  for (const { shard, tensors: own, digest } of headers) {
    hash.update(digest).update(`${shard.bytes}\n`);
    for (const tensor of own) {
      const first = shardOf.get(tensor.name);
      if (first !== undefined) throw storedTwice(tensor.name, first, shard.name);
      shardOf.set(tensor.name, shard.name);
      tensors.set(tensor.name, tensor);
    }
  }
  const [shards, stamps] = [headers.map(({ shard }) => shard), headers.map(({ stamp }) => stamp)];
  return { shards, stamps, tensors, shardOf, digest: hash.digest() };
}

/** The result keeps the order of `names`. If several reads fail, it throws the first failure in that order. */
async function readHeaders(
  folder: string,
  names: readonly string[],
  listedIn: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ShardHeader[]> {
  const headers: ShardHeader[] = [];
  const failures: { position: number; error: unknown }[] = [];
  let next = 0;
  let tensors = 0;
  const worker = async (): Promise<void> => {
    while (next < names.length && failures.length === 0) {
      const position = next++;
      const name = names[position];
      try {
        throwIfCancelled(signal);
        if (listedIn !== undefined) await requireListed(folder, name, listedIn);
        headers[position] = await readShardHeader(join(folder, name), name);
        tensors += headers[position].tensors.length;
        if (tensors > MAX_TENSORS) throw tooManyTensors(name);
      } catch (error) {
        failures.push({ position, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(OPEN_SHARDS, names.length) }, worker));
  failures.sort((a, b) => a.position - b.position);
  if (failures.length > 0) throw failures[0].error;
  return headers;
}

async function requireListed(folder: string, name: string, index: string): Promise<void> {
  try {
    await lstat(join(folder, name)); // lstat, because a link without its target has its own message
  } catch (error) {
    throw new UserError(
      `${index} names a shard that is missing`,
      `${printable(name, 120)} is not in ${folder}`,
      'Download the missing shard into the folder.',
      { cause: error },
    );
  }
}

function tooManyTensors(name: string): UserError {
  return new UserError(
    `${printable(name, 120)}: too many tensors`,
    `with this shard the checkpoint has more than ${MAX_TENSORS}`,
    'Open one of its files alone.',
  );
}

function storedTwice(tensor: string, first: string, second: string): UserError {
  return new UserError(
    `"${printable(tensor, 120)}" is stored twice`,
    `${printable(first, 120)} and ${printable(second, 120)} both contain it`,
    'Download all shards from the same revision of the model.',
  );
}
