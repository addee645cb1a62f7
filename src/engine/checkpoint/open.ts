/**
 * Opens a checkpoint: headers, index and config, never tensor data. Whatever the files claim is checked before it is
 * believed (limits.ts has the caps).
 */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { lstat } from 'node:fs/promises';
import { UserError } from '../errors';
import type { Architecture } from './architecture';
import { isObject, JsonProblem, parseBoundedJson, printable } from './bounded-json';
import { isUnsupported, readConfigArchitecture } from './config';
import { readSmallFile } from './file';
import { checkAgainstIndex, readShardIndex, type ShardIndex } from './index-file';
import { CONFIG_DEPTH, MAX_CONFIG_BYTES, MAX_NAME_LENGTH, MAX_TENSORS, OPEN_SHARDS } from './limits';
import { locateCheckpoint, type Located } from './locate';
import { readShardHeader, type ShardHeader } from './safetensors';
import type { Checkpoint, TensorInfo, Unsupported } from './types';
import { verifyTensors } from './verify';

/**
 * Opens the checkpoint at `path`: a folder, a `.safetensors` file, an index or a `config.json`. Throws `UserError` for
 * anything damaged or contradictory; what is sound but cannot be computed with is opened with `unsupported` set.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const located = await locateCheckpoint(path);
  const { weights, folder } = located;
  const index = weights.kind === 'index' ? await readShardIndex(weights.path) : undefined;
  const config = located.configPath === undefined ? undefined : await readConfig(located.configPath);
  const headers = await readHeaders(dirname(weights.path), index?.shards ?? [basename(weights.path)], index);
  const tensors = collectTensors(headers);
  const notes = index ? indexNotes(index, headers) : [];
  const support = describe(located, config?.value, tensors);
  return {
    path: located.path,
    folder,
    format: index ? 'safetensors-sharded' : 'safetensors',
    ...(config && { config: config.value }),
    ...support.result,
    shards: headers.map((header) => header.shard),
    tensors,
    identity: identify(config?.bytes, headers),
    notes: [...notes, ...support.notes],
  };
}

/** The architecture of a checkpoint to compute with; throws `UserError` when it can only be inspected. */
export function requireArchitecture(checkpoint: Checkpoint): Architecture {
  if (checkpoint.architecture) return checkpoint.architecture;
  const { why, action } = checkpoint.unsupported ?? {
    why: 'its architecture is unknown',
    action: 'Open another checkpoint.',
  };
  throw new UserError(`Cannot compute with ${checkpoint.path}`, why, action);
}

async function readConfig(path: string): Promise<{ value: Record<string, unknown>; bytes: Buffer }> {
  const bytes = await readSmallFile(path, MAX_CONFIG_BYTES);
  try {
    // The last of two equal keys counts, as in every JSON reader that loads such configs.
    const value = parseBoundedJson(bytes, {
      depth: CONFIG_DEPTH,
      keyLength: MAX_NAME_LENGTH,
      members: MAX_TENSORS,
      items: MAX_TENSORS,
      uniqueKeys: false,
    });
    if (!isObject(value)) throw new JsonProblem('it is not a JSON object');
    return { value, bytes };
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw new UserError('config.json is not valid', error.message, 'Download config.json again.', { cause: error });
  }
}

/** Reads the headers of `shards`, a bounded number at a time; the result keeps their order. */
async function readHeaders(
  folder: string,
  shards: readonly string[],
  index: ShardIndex | undefined,
): Promise<ShardHeader[]> {
  const headers: ShardHeader[] = [];
  let next = 0;
  let tensors = 0;
  const worker = async (): Promise<void> => {
    while (next < shards.length) {
      const position = next++;
      const name = shards[position];
      if (index) await requireShard(folder, name, index);
      const header = await readShardHeader(join(folder, name), name);
      tensors += header.tensors.length;
      if (tensors > MAX_TENSORS)
        throw new UserError(
          `${name}: too many tensors`,
          `the checkpoint has more than ${MAX_TENSORS}`,
          'Open one of its files alone.',
        );
      headers[position] = header;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(OPEN_SHARDS, shards.length) }, worker));
  } finally {
    next = shards.length; // after a failure the other workers stop too
  }
  return headers;
}

async function requireShard(folder: string, name: string, index: ShardIndex): Promise<void> {
  try {
    await lstat(join(folder, name));
  } catch (error) {
    throw new UserError(
      `${index.name} names a shard that is missing`,
      `${printable(name, 120)} is not in ${folder}`,
      'Download the missing shard.',
      { cause: error },
    );
  }
}

function collectTensors(headers: readonly ShardHeader[]): Map<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>();
  const shardOf = new Map<string, string>();
  for (const { shard, tensors: own } of headers) {
    for (const tensor of own) {
      const first = shardOf.get(tensor.name);
      if (first !== undefined) {
        throw new UserError(
          `"${printable(tensor.name, 120)}" is stored twice`,
          `${first} and ${shard.name} both hold it`,
          'Download all shards from the same revision of the model.',
        );
      }
      shardOf.set(tensor.name, shard.name);
      tensors.set(tensor.name, tensor);
    }
  }
  return tensors;
}

function indexNotes(index: ShardIndex, headers: readonly ShardHeader[]): string[] {
  const shardOf = new Map(
    headers.flatMap(({ shard, tensors }) => tensors.map((tensor) => [tensor.name, shard.name] as const)),
  );
  const unlisted = checkAgainstIndex(index, shardOf);
  return unlisted > 0 ? [`${unlisted} tensors of the shards are not listed in ${index.name}`] : [];
}

interface Description {
  readonly result: { readonly architecture: Architecture } | { readonly unsupported: Unsupported };
  readonly notes: readonly string[];
}

function describe(
  located: Located,
  config: Record<string, unknown> | undefined,
  tensors: ReadonlyMap<string, TensorInfo>,
): Description {
  if (!config) {
    const why = 'there is no config.json beside the weights';
    return { result: { unsupported: { why, action: "Put the model's config.json into the folder." } }, notes: [] };
  }
  if (located.shardOf !== undefined) {
    const why = `it is one shard of the checkpoint in ${located.folder}`;
    return { result: { unsupported: { why, action: 'Open the folder to compute with the whole model.' } }, notes: [] };
  }
  const architecture = readConfigArchitecture(config);
  if (isUnsupported(architecture)) return { result: { unsupported: architecture }, notes: [] };
  const { unsupported, unused } = verifyTensors(architecture, tensors);
  const shown = unused
    .slice(0, 4)
    .map((name) => printable(name, 80))
    .join(', ');
  const more = unused.length > 4 ? ', …' : '';
  const notes = unused.length > 0 ? [`${unused.length} stored tensors are not used by the model: ${shown}${more}`] : [];
  return { result: unsupported ? { unsupported } : { architecture }, notes };
}

/** Independent of paths and times: what the files say of themselves. */
function identify(config: Buffer | undefined, headers: readonly ShardHeader[]): string {
  const hash = createHash('sha256').update('coppice checkpoint 1\n');
  hash.update(
    createHash('sha256')
      .update(config ?? '')
      .digest(),
  );
  for (const { shard, digest } of headers) hash.update(digest).update(`${shard.bytes}\n`);
  return hash.digest('hex');
}
