/**
 * Checkpoints whose configs say more than one thing, or something that their model does not read, each with the mean token
 * loss that stock transformers computes over `ODD_ROWS`.
 *
 * The losses come from transformers 5.24.0 with torch 2.15.0 on the CPU in float32: `AutoModelForCausalLM.from_pretrained`
 * of the folder that `writeOdd` makes, once per row, as `bench/peers/load_pruned.py` does it, and the mean over the rows.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownTinyCheckpoint, type TinyName, type TinyOptions } from './tiny-models';
import { randomRows } from './random';

/** Rows of ids, longer than the windows below. */
export const ODD_ROWS = randomRows(2, 24, 288, 31);

export interface OddConfig {
  readonly what: string;
  readonly toy: TinyName;
  readonly options: TinyOptions;
  /** Fields to leave out of the config, after the tensors have followed them. */
  readonly silent?: readonly string[];
  /** Mean token loss in nats. */
  readonly loss: number;
}

const linear = { rope_type: 'linear', factor: 4 };
const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
const seedOss = { model_type: 'seed_oss', architectures: ['SeedOssForCausalLM'] };
const alternating = ['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention'];

export const ODD_CONFIGS: readonly OddConfig[] = [
  {
    what: 'tied, and a head of its own in the file',
    toy: 'llama-gqa-tied',
    options: { storedHead: 'own' },
    loss: 6.189283,
  },
  {
    what: 'tied, and the embedding twice in the file',
    toy: 'llama-gqa-tied',
    options: { storedHead: 'copy' },
    loss: 11.472995,
  },
  { what: 'tied, and no head in the file', toy: 'llama-gqa-tied', options: {}, loss: 11.472995 },
  {
    what: 'mistral with layer_types',
    toy: 'mistral-window',
    options: { config: { layer_types: alternating, head_dim: 16 } },
    loss: 6.107954,
  },
  {
    what: 'mistral with layer_types of null',
    toy: 'mistral-window',
    options: { config: { layer_types: null, head_dim: 16 } },
    loss: 6.030708,
  },
  { what: 'mistral with a window everywhere', toy: 'mistral-window', options: {}, loss: 6.030708 },
  {
    what: 'mistral with biases that it does not have',
    toy: 'mistral-window',
    options: { bias: ['qkv', 'o', 'mlp'], config: { attention_bias: true, mlp_bias: true } },
    loss: 6.278113,
  },
  {
    what: 'qwen3 with biases, of which it has those of attention',
    toy: 'qwen3-qknorm',
    options: { bias: ['qkv', 'o', 'mlp'], config: { attention_bias: true, mlp_bias: true } },
    loss: 6.286989,
  },
  {
    what: 'qwen2 with biases, of which it has those of q, k and v',
    toy: 'qwen2-mixed-windows',
    options: { bias: ['o', 'mlp'], config: { attention_bias: true, mlp_bias: true } },
    loss: 10.626541,
  },
  {
    what: 'rope_scaling beside rope_parameters',
    toy: 'llama-plain',
    options: { config: { rope_scaling: linear, rope_parameters: { rope_type: 'default', rope_theta: 500 } } },
    loss: 6.263754,
  },
  {
    what: 'rope_scaling with a theta beside rope_parameters and rope_theta',
    toy: 'llama-plain',
    options: {
      config: {
        rope_theta: 300,
        rope_scaling: { ...linear, rope_theta: 700 },
        rope_parameters: { rope_type: 'linear', factor: 2, rope_theta: 500 },
      },
    },
    loss: 6.277794,
  },
  {
    what: 'rope_scaling beside rope_parameters of nothing',
    toy: 'llama-plain',
    options: { config: { rope_scaling: linear, rope_parameters: {}, rope_theta: 300 } },
    loss: 6.285312,
  },
  {
    what: 'rope_scaling of nothing beside rope_parameters',
    toy: 'llama-plain',
    options: { config: { rope_scaling: {}, rope_parameters: { ...linear, rope_theta: 700 }, rope_theta: 300 } },
    loss: 6.277794,
  },
  {
    what: 'rope_parameters of nothing',
    toy: 'llama-plain',
    options: { config: { rope_parameters: {}, rope_theta: 300 } },
    loss: 6.300411,
  },
  {
    what: 'llama3 with the original context at the top alone',
    toy: 'llama-plain',
    options: { config: { rope_scaling: llama3, original_max_position_embeddings: 32, rope_theta: 500000 } },
    loss: 6.308756,
  },
  {
    what: 'llama3 with the original context at the top and in rope_scaling',
    toy: 'llama-plain',
    options: {
      config: {
        rope_scaling: { ...llama3, original_max_position_embeddings: 8 },
        original_max_position_embeddings: 32,
        rope_theta: 500000,
      },
    },
    loss: 6.308756,
  },
  {
    what: 'llama3 with no original context',
    toy: 'llama-plain',
    options: { config: { rope_scaling: llama3, rope_theta: 500000 } },
    loss: 6.287632,
  },
  { what: 'rms_norm_eps of 0', toy: 'llama-plain', options: { config: { rms_norm_eps: 0 } }, loss: 6.331738 },
  {
    what: 'llama with layer_types and a window, which it does not read',
    toy: 'llama-plain',
    options: { config: { sliding_window: 4, layer_types: alternating } },
    loss: 6.331721,
  },
  {
    what: 'seed_oss that says nothing of heads, biases and rotation',
    toy: 'llama-plain',
    options: {
      bias: ['qkv'],
      config: { ...seedOss, num_attention_heads: 16, num_key_value_heads: 8, head_dim: 128 },
    },
    silent: ['num_key_value_heads', 'head_dim', 'rope_theta', 'max_position_embeddings', 'bos_token_id'],
    loss: 6.228405,
  },
  {
    what: 'seed_oss with a head_dim of null and a bias in o and the FFN alone',
    toy: 'llama-plain',
    options: {
      bias: ['o', 'mlp'],
      config: { ...seedOss, head_dim: null, attention_bias: false, attention_out_bias: true, mlp_bias: true },
    },
    loss: 6.075562,
  },
  { what: 'heads of 4', toy: 'mistral-window', options: { config: { head_dim: 4 } }, loss: 6.054188 },
  { what: 'heads of 12', toy: 'qwen3-qknorm', options: { config: { head_dim: 12 } }, loss: 6.119991 },
];

/** A folder of its own with the checkpoint. */
export function writeOdd({ toy, options, silent = [] }: OddConfig): string {
  const folder = ownTinyCheckpoint(toy, options);
  const file = join(folder, 'config.json');
  const config = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as object);
  const said = Object.fromEntries(config.filter(([key]) => !silent.includes(key)));
  writeFileSync(file, JSON.stringify(said, null, 2));
  // transformers takes 0.0 for a number with a point and refuses 0.
  writeFileSync(file, readFileSync(file, 'utf8').replace('"rms_norm_eps": 0,', '"rms_norm_eps": 0.0,'));
  return folder;
}
