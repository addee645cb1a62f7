/** Files for the tests of opening: headers as one likes, and checkpoints of zeros that take no room on the disk. */
import assert from 'node:assert/strict';
import { ftruncateSync, openSync, closeSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../src/engine/checkpoint/config';
import { allWeights } from '../../src/engine/checkpoint/weight-names';
import { UserError } from '../../src/engine/errors';
import { temporaryFolder } from './temporary';

/** The smallest config that describes a model. */
export const CONFIG = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  vocab_size: 10,
} as const;

export type Config = Record<string, unknown>;

export interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The architecture of `CONFIG` with `changes`; fails when it is not supported. */
export function architectureOf(changes: Config = {}): Architecture {
  const architecture = readConfigArchitecture({ ...CONFIG, ...changes });
  assert.ok(!('why' in architecture), 'why' in architecture ? architecture.why : '');
  return architecture;
}

/** A header that lays `weights` out one after the other. */
export function layOut(
  weights: Iterable<{ readonly name: string; readonly shape: readonly number[] }>,
  dtype = 'BF16',
): { header: Record<string, Entry>; bytes: number } {
  const header: Record<string, Entry> = {};
  let bytes = 0;
  for (const { name, shape } of weights) {
    const size = shape.reduce((a, b) => a * b, 1) * (dtype === 'F32' ? 4 : 2);
    header[name] = { dtype, shape: [...shape], data_offsets: [bytes, bytes + size] };
    bytes += size;
  }
  return { header, bytes };
}

/** Writes a safetensors file of zeros: `header` as JSON, or as the text it is. */
export function writeRaw(file: string, header: unknown, dataBytes: number): void {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, Buffer.concat([length, json]));
  ftruncateSync(descriptor, 8 + json.length + dataBytes);
  closeSync(descriptor);
}

export interface ModelOptions {
  readonly dtype?: string;
  /** Changes the header before it is written; the file keeps its size. */
  readonly alter?: (header: Record<string, Entry>) => void;
  readonly shards?: number;
  readonly folder?: string;
}

/** Writes the checkpoint that `config` describes and returns its folder. */
export function writeModel(config: Config = CONFIG, options: ModelOptions = {}): string {
  const folder = options.folder ?? temporaryFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const architecture = readConfigArchitecture(config);
  const described = 'why' in architecture ? architecture.described : architecture;
  assert.ok(described);
  const weights = [...allWeights(described)];
  const shards = options.shards ?? 1;
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const own = weights.filter((_, i) => Math.floor((i * shards) / weights.length) === shard);
    const { header, bytes } = layOut(own, options.dtype);
    options.alter?.(header);
    const name = shards === 1 ? 'model.safetensors' : shardName(shard, shards);
    writeRaw(join(folder, name), header, bytes);
    for (const weight of own) weightMap[weight.name] = name;
  }
  if (shards > 1) writeIndex(folder, weightMap);
  return folder;
}

export function writeIndex(folder: string, weightMap: unknown): void {
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: weightMap }));
}

export function shardName(shard: number, shards: number): string {
  const number = (n: number): string => String(n).padStart(5, '0');
  return `model-${number(shard + 1)}-of-${number(shards)}.safetensors`;
}

/** Fails unless `run` throws a `UserError` with all three parts whose text matches every pattern. */
export async function rejects(run: () => unknown, ...patterns: RegExp[]): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof UserError, error instanceof Error ? error.stack : String(error));
    const { what, why, action } = error;
    for (const part of [what, why, action]) assert.match(part, /\S/);
    for (const pattern of patterns) assert.match(`${what}\n${why}\n${action}`, pattern);
    return;
  }
  assert.fail('nothing was thrown');
}
