/**
 * 4000 seeded mutations of valid headers and configs, 20 000 in test:full: each is read or refused with a `UserError`, and nothing is
 * allocated that a cap does not allow.
 */
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { JsonProblem, parseBoundedJson } from '../../../src/engine/formats/bounded-json';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { parseHeader } from '../../../src/engine/formats/safetensors/header';
import { MAX_DIMENSION, MAX_TENSORS } from '../../../src/engine/formats/limits';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { summarize } from '../../../src/engine/checkpoint/summary';
import { allWeights } from '../../../src/engine/checkpoint/weight-names';
import { UserError } from '../../../src/engine/errors';
import { uniform } from '../../support/random';
import { full } from '../../support/shared';
import { architectureOf, CONFIG, layOut, writeModel } from '../../support/checkpoint-files';

const HEADERS = full ? 9500 : 1900;
const CONFIGS = full ? 9500 : 1900;
const FILES = full ? 1000 : 200;

/** Pieces that JSON readers and byte arithmetic stumble over. */
const PIECES = [
  '-1',
  '0',
  '1e308',
  '1e-400',
  '9007199254740993',
  '18446744073709551616',
  '4294967296',
  '2.5',
  '-0',
  'NaN',
  'null',
  'true',
  '""',
  '"F32"',
  '"x"',
  '[]',
  '{}',
  '[[[[[[',
  '{"a":{"a":{"a":',
  '"\\ud800"',
  '"\\u0000"',
  '\\',
  '"',
  ',',
  ':',
  '}',
  ']',
  '\u0000',
  '"__proto__":1,',
  '"model_type":"qwen2",',
  '"__metadata__":{},',
  '[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]',
];

/** Configs of families with fields of their own. */
const FURTHER = [
  {
    model_type: 'gemma2',
    num_key_value_heads: 1,
    head_dim: 4,
    query_pre_attn_scalar: 4,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    sliding_window: 3,
  },
  {
    model_type: 'gemma3_text',
    num_key_value_heads: 1,
    head_dim: 4,
    sliding_window_pattern: 2,
    rope_local_base_freq: 1e4,
    rope_parameters: { full_attention: { rope_type: 'linear', factor: 8 }, sliding_attention: { rope_theta: 1e4 } },
  },
  {
    model_type: 'phi3',
    partial_rotary_factor: 0.5,
    original_max_position_embeddings: 16,
    rope_scaling: { type: 'longrope', short_factor: [1.5], long_factor: [3.5] },
  },
  {
    model_type: 'granite',
    embedding_multiplier: 12,
    residual_multiplier: 0.2,
    attention_multiplier: 0.1,
    logits_scaling: 8,
  },
  { model_type: 'smollm3', num_key_value_heads: 1, no_rope_layers: [1, 0, 1, 1], no_rope_layer_interval: 4 },
  { model_type: 'olmo2', rope_scaling: { rope_type: 'yarn', factor: 4, beta_fast: 8, beta_slow: 1, truncate: false } },
  {
    model_type: 'gemma3',
    text_config: { ...CONFIG, model_type: 'gemma3_text', num_key_value_heads: 1, head_dim: 4 },
    vision_config: { hidden_size: 8 },
  },
].map((own) => ({ ...CONFIG, architectures: undefined, ...own }));

type Random = () => number;
const below = (next: Random, n: number): number => Math.floor(next() * n);

/** One to four edits: a token replaced, a piece put in, a stretch cut out or doubled, a byte changed. */
function mutate(text: Buffer, next: Random): Buffer {
  let bytes = text;
  for (let edits = 1 + below(next, 4); edits > 0; edits--) {
    const at = below(next, bytes.length + 1);
    const end = Math.min(bytes.length, at + below(next, 24));
    const piece = Buffer.from(PIECES[below(next, PIECES.length)]);
    switch (below(next, 5)) {
      case 0:
        bytes = replaceToken(bytes, piece, next);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.from(bytes);
        if (at < bytes.length) bytes[at] = below(next, 256);
    }
  }
  return bytes;
}

/** A number or text of the JSON replaced whole, so that most results stay valid JSON with an odd value. */
function replaceToken(bytes: Buffer, piece: Buffer, next: Random): Buffer {
  const text = bytes.toString('latin1');
  const tokens = [...text.matchAll(/"[^"]*"|\d+(\.\d+)?|true|false|null/g)];
  if (tokens.length === 0) return bytes;
  const { 0: token, index } = tokens[below(next, tokens.length)];
  return Buffer.concat([bytes.subarray(0, index), piece, bytes.subarray(index + token.length)]);
}

/** Runs `read`; true when it was refused as it should be. */
function refused(read: () => void, input: Buffer): boolean {
  try {
    read();
    return false;
  } catch (error) {
    if (error instanceof UserError || error instanceof JsonProblem) return true;
    throw new Error(`on ${JSON.stringify(input.toString('latin1'))}`, { cause: error });
  }
}

describe('mutated checkpoints', () => {
  it(`${HEADERS} headers are read or refused`, () => {
    const next = uniform(1);
    const { header, bytes } = layOut([...allWeights(architectureOf())].slice(0, 8));
    const valid = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...header }));
    let refusals = 0;
    for (let i = 0; i < HEADERS; i++) {
      const json = mutate(valid, next);
      const fileBytes = 8 + json.length + bytes;
      const isRefused = refused(() => {
        const { tensors } = parseHeader(json, { name: 'm', file: '/m', bytes: fileBytes });
        // What is accepted covers the file exactly.
        assert.equal(
          tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
          bytes,
        );
        for (const tensor of tensors)
          assert.ok(tensor.offset >= 8 + json.length && tensor.offset + tensor.bytes <= fileBytes);
      }, json);
      if (isRefused) refusals++;
    }
    assert.ok(refusals > HEADERS / 2 && refusals < HEADERS, `${refusals} refused`);
  });

  it(`${CONFIGS} configs are read or refused`, () => {
    const next = uniform(2);
    const rope = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const layerTypes = ['full_attention', 'sliding_attention', 'full_attention'];
    const windows = { use_sliding_window: true, sliding_window: 4, max_window_layers: 1 };
    const valid = [
      { ...CONFIG, rope_theta: 10000, rope_scaling: rope, eos_token_id: [2, 3], attention_bias: true },
      { ...CONFIG, model_type: 'qwen2', num_key_value_heads: 1, ...windows, layer_types: layerTypes, head_dim: 4 },
      { ...CONFIG, model_type: 'mistral', num_key_value_heads: 1, sliding_window: 5, tie_word_embeddings: true },
      {
        ...CONFIG,
        model_type: 'qwen3',
        num_key_value_heads: 2,
        rope_parameters: { ...rope, rope_theta: 1e6 },
        quantization_config: { bits: 4 },
      },
      {
        ...CONFIG,
        model_type: 'coppice',
        coppice_family: 'llama',
        coppice_layers: Array(3).fill({ heads: 2, kv_heads: 1, head_dim: 4, ffn: 5, biases: ['o', 'down'] }),
      },
      ...FURTHER,
    ].map((config) => Buffer.from(JSON.stringify(config)));
    const limits = { depth: 32, keyLength: 2048, members: 1000, items: 1000, uniqueKeys: false };
    for (const json of valid) {
      const result = readConfigArchitecture(JSON.parse(json.toString()) as Record<string, unknown>);
      assert.ok(!('why' in result) || result.described, 'why' in result ? result.why : '');
    }
    let refusals = 0;
    for (let i = 0; i < CONFIGS; i++) {
      const json = mutate(valid[i % valid.length], next);
      const isRefused = refused(() => {
        const config = parseBoundedJson(json, limits);
        if (typeof config !== 'object' || config === null || Array.isArray(config)) throw new JsonProblem('no object');
        const result = readConfigArchitecture(config as Record<string, unknown>);
        const architecture = 'why' in result ? result.described : result;
        if (!architecture) return;
        assert.ok(architecture.layers.length <= MAX_DIMENSION.blocks);
        assert.ok(Number.isSafeInteger(parametersOf(architecture)));
      }, json);
      if (isRefused) refusals++;
    }
    assert.ok(refusals > CONFIGS / 2 && refusals < CONFIGS, `${refusals} refused`);
  });

  it(`${FILES} files are opened or refused, and no buffer is larger than its file`, async () => {
    const next = uniform(3);
    const folder = writeModel();
    const file = join(folder, 'model.safetensors');
    const { header, bytes } = layOut(allWeights(architectureOf()));
    const json = Buffer.from(JSON.stringify(header));
    const alloc = Buffer.alloc.bind(Buffer);
    let largest = 0;
    let refusals = 0;
    Buffer.alloc = (size, ...rest: never[]) => {
      largest = Math.max(largest, size);
      return alloc(size, ...rest);
    };
    try {
      for (let i = 0; i < FILES; i++) {
        const mutated = next() < 0.5 ? json : mutate(json, next);
        const content = writeMutated(file, mutated, bytes, next);
        largest = 0;
        try {
          summarize(await openCheckpoint(folder));
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          refusals++;
        }
        assert.ok(largest <= content, `a buffer of ${largest} bytes for a file of ${content}`);
      }
    } finally {
      Buffer.alloc = alloc;
    }
    assert.ok(refusals > FILES / 2 && refusals < FILES, `${refusals} refused`);
  });

  it('more tensors than the cap are refused before they are built', () => {
    const name = (i: number): string => `"${i.toString(36)}":0`;
    const json = Buffer.from(`{${Array.from({ length: MAX_TENSORS + 1 }, (_, i) => name(i)).join()}}`);
    assert.ok(
      refused(() => parseHeader(json, { name: 'm', file: '/m', bytes: 8 + json.length }), json.subarray(0, 99)),
    );
  });
});

/** Writes a file whose header length, and now and then its end, is off; returns its size, at least that of the config. */
function writeMutated(file: string, json: Buffer, dataBytes: number, next: Random): number {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  if (next() < 0.4) length[below(next, 8)] = below(next, 256);
  const size = Math.max(0, 8 + json.length + dataBytes - (next() < 0.2 ? below(next, 3000) : 0));
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, Buffer.concat([length, json]));
  ftruncateSync(descriptor, size);
  closeSync(descriptor);
  return Math.max(size, JSON.stringify(CONFIG).length);
}
