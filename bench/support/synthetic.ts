/**
 * Made-up checkpoints of any size that take no room: headers as real ones, and files that are one hole, which reads as
 * zeros. Enough for whatever does not depend on the numbers: opening, memory, the time of a forward pass.
 */
import { closeSync, ftruncateSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isUnsupported, readConfigArchitecture } from '../../src/engine/checkpoint/config';
import { elements } from '../../src/engine/checkpoint/parameters';
import { allWeights, type Weight } from '../../src/engine/checkpoint/weight-names';
import { Random } from '../../src/engine/random';
import { byteTokenizer } from './byte-tokenizer';

/** The shapes of LLaMA-7B (Touvron et al. 2023, Table 2). */
export const LLAMA_7B = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  vocab_size: 32000,
  bos_token_id: 1,
  eos_token_id: 2,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
};

/**
 * Writes a BF16 checkpoint of zeros with a tokenizer of single bytes into an existing folder.
 * @returns the bytes of its tensors
 */
export function writeSyntheticCheckpoint(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  shards = 1,
): number {
  const architecture = readConfigArchitecture(config);
  if (isUnsupported(architecture)) throw new Error(architecture.why);
  const { tokenizer, tokenizerConfig } = byteTokenizer();
  for (const [name, value] of Object.entries({ config, tokenizer, tokenizer_config: tokenizerConfig })) {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(value));
  }
  const weights = [...allWeights(architecture)];
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const name = shardName(shard, shards);
    const own = weights.filter((_, i) => Math.floor((i * shards) / weights.length) === shard);
    writeShard(join(folder, name), own);
    for (const weight of own) weightMap[weight.name] = name;
  }
  if (shards > 1) {
    const index = { metadata: {}, weight_map: weightMap };
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  }
  return weights.reduce((sum, { shape }) => sum + 2 * elements(shape), 0);
}

/** Numbers of the pattern that `fillWithRandom` repeats: a prime, so that it does not repeat with the rows. */
const PATTERN = 1_000_003;

/** Fills the tensors of a checkpoint in one file: norms with ones, others with random BF16 numbers of the size that weights have. */
export function fillWithRandom(folder: string): void {
  const random = new Random(1);
  const pattern = Uint16Array.from({ length: PATTERN }, () => bfloat16(0.05 * (random.uniform() - 0.5)));
  const ones = new Uint16Array(PATTERN).fill(bfloat16(1));
  const descriptor = openSync(join(folder, shardName(0, 1)), 'r+');
  try {
    const length = Buffer.alloc(8);
    readSync(descriptor, length, 0, 8, 0);
    const header = Buffer.alloc(Number(length.readBigUInt64LE()));
    readSync(descriptor, header, 0, header.length, 8);
    const tensors = JSON.parse(header.toString()) as Record<string, { readonly data_offsets?: [number, number] }>;
    for (const [name, { data_offsets: offsets }] of Object.entries(tensors)) {
      if (offsets === undefined) continue;
      const bytes = new Uint8Array((name.includes('norm') ? ones : pattern).buffer);
      const [start, end] = offsets.map((offset) => 8 + header.length + offset);
      // From another place of the pattern in each tensor, so that no two hold the same numbers.
      for (let at = start; at < end;) {
        const from = at % bytes.length;
        at += writeSync(descriptor, bytes, from, Math.min(bytes.length - from, end - at), at);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The bits of a bfloat16: the upper half of the float32. */
function bfloat16(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16;
}

function shardName(shard: number, shards: number): string {
  const five = (n: number): string => String(n).padStart(5, '0');
  return shards === 1 ? 'model.safetensors' : `model-${five(shard + 1)}-of-${five(shards)}.safetensors`;
}

/** One file: its header, and a hole where the tensors would be. */
function writeShard(file: string, weights: readonly Weight[]): void {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, shape } of weights) {
    const start = end;
    end += 2 * elements(shape);
    header[name] = { dtype: 'BF16', shape, data_offsets: [start, end] };
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8)); // tensors start on a multiple of 8
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, Buffer.concat([length, json]));
  ftruncateSync(descriptor, 8 + json.length + end);
  closeSync(descriptor);
}
