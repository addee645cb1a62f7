/** `model.safetensors.index.json`: which shard holds which tensor. */
import { basename } from 'node:path';
import { UserError } from '../../errors';
import { isObject } from '../../../format/json';
import { JsonProblem, parseBoundedJson, printable } from '../bounded-json';
import { readSmallFile } from '../../files/regular-file';
import { INDEX_DEPTH, MAX_INDEX_BYTES, MAX_NAME_LENGTH, MAX_RANK, MAX_SHARDS, MAX_TENSORS } from '../limits';

export interface ShardIndex {
  readonly name: string;
  /** Tensor name to shard name. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** Shard names, sorted. */
  readonly shards: readonly string[];
}

/** Reads and checks the index at `path`. Throws `UserError`. */
export async function readShardIndex(path: string): Promise<ShardIndex> {
  const name = basename(path);
  const bytes = await readSmallFile(path, MAX_INDEX_BYTES);
  let index: unknown;
  try {
    index = parseBoundedJson(bytes, {
      depth: INDEX_DEPTH,
      keyLength: MAX_NAME_LENGTH,
      members: MAX_TENSORS,
      items: MAX_RANK,
      uniqueKeys: true,
    });
  } catch (error) {
    if (error instanceof JsonProblem) throw badIndex(name, 'the file', error.message);
    throw error;
  }
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map)) throw badIndex(name, 'weight_map', 'it is missing or not an object');
  const weightMap = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== 'string')
      throw badIndex(name, `weight_map["${printable(tensor, 120)}"]`, 'it is not a file name');
    checkShardName(name, shard);
    weightMap.set(tensor, shard);
  }
  const shards = [...new Set(weightMap.values())].sort();
  if (shards.length === 0) throw badIndex(name, 'weight_map', 'it lists no tensor');
  if (shards.length > MAX_SHARDS)
    throw badIndex(name, 'weight_map', `it names ${shards.length} shards, more than ${MAX_SHARDS}`);
  return { name, weightMap, shards };
}

/** A shard must be in the model's folder, because the index must not make Coppice read other files. */
function checkShardName(index: string, shard: string): void {
  const steps = shard.split('/');
  const leaves = steps.some((step) => step === '' || step === '.' || step === '..') || /[\\:\p{Cc}]/u.test(shard);
  if (leaves || shard.length > MAX_NAME_LENGTH) {
    throw new UserError(
      `${index}: weight_map names "${printable(shard, 120)}"`,
      'that path leads outside the model folder or is not a plain file name',
      'Do not trust this index; get the model from its original source.',
    );
  }
}

/** Checks that every listed tensor is in its shard. Returns the number of tensors that the index does not list. */
export function checkAgainstIndex(index: ShardIndex, shardOf: ReadonlyMap<string, string>): number {
  for (const [tensor, shard] of index.weightMap) {
    const actual = shardOf.get(tensor);
    if (actual === shard) continue;
    const where = actual === undefined ? 'no shard contains it' : `it is in ${actual}`;
    throw new UserError(
      `${index.name} does not match the shards`,
      `it places "${printable(tensor, 120)}" in ${printable(shard, 120)}, but ${where}`,
      'Download index and shards again, from the same revision of the model.',
    );
  }
  return shardOf.size - index.weightMap.size;
}

function badIndex(name: string, field: string, why: string): UserError {
  return new UserError(`${name}: ${field} is not valid`, why, 'Download the index again, or save the model again.');
}
