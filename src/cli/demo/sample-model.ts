/**
 * The model that `coppice demo` uses when it is given none: a LLaMA-shaped checkpoint of 8 blocks with seeded random
 * weights and a tokenizer of single bytes. It has never seen a text, so it shows how the commands fit together and
 * nothing about language.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '../../engine/random';
import { BYTE_VOCABULARY, byteTokenizer, BOS, EOS } from './byte-tokenizer';

const SEED = 20240205;
const SIZES = { blocks: 8, hidden: 64, heads: 4, kvHeads: 2, headDim: 16, ffn: 176, context: 512 } as const;
/** Blocks write into the residual stream with these strengths, so that their scores differ. */
const STRENGTHS = [3, 1.2, 0.4, 0.9, 0.2, 0.6, 1.5, 2.2];

export interface SampleModel {
  /** Folder of the checkpoint. */
  readonly checkpoint: string;
  /** What may be expected of it. */
  readonly remark: readonly string[];
}

/** Puts the sample model below `folder`. */
export async function provideSampleModel(folder: string): Promise<SampleModel> {
  const checkpoint = join(folder, 'sample-model');
  await mkdir(checkpoint, { recursive: true });
  const { tokenizer, tokenizerConfig } = byteTokenizer();
  await Promise.all([
    writeFile(join(checkpoint, 'config.json'), json(config())),
    writeFile(join(checkpoint, 'tokenizer.json'), json(tokenizer)),
    writeFile(join(checkpoint, 'tokenizer_config.json'), json(tokenizerConfig)),
    writeFile(join(checkpoint, 'model.safetensors'), safetensors(tensors())),
  ]);
  return {
    checkpoint,
    remark: [
      'This sample has random weights: it writes noise, and hesitates between all of its tokens. It shows',
      'the way. For the effect, name a real checkpoint: coppice demo FOLDER',
    ],
  };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function config(): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    torch_dtype: 'float32',
    num_hidden_layers: SIZES.blocks,
    hidden_size: SIZES.hidden,
    num_attention_heads: SIZES.heads,
    num_key_value_heads: SIZES.kvHeads,
    head_dim: SIZES.headDim,
    intermediate_size: SIZES.ffn,
    max_position_embeddings: SIZES.context,
    vocab_size: BYTE_VOCABULARY,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: BOS,
    eos_token_id: EOS,
  };
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

function tensors(): Tensor[] {
  const normal = normals(SEED);
  const matrix = (name: string, rows: number, columns: number, scale: number): Tensor => ({
    name,
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => normal() * scale),
  });
  const ones = (name: string): Tensor => ({
    name,
    shape: [SIZES.hidden],
    data: new Float32Array(SIZES.hidden).fill(1),
  });

  const { hidden, ffn } = SIZES;
  const q = SIZES.heads * SIZES.headDim;
  const kv = SIZES.kvHeads * SIZES.headDim;
  const list = [matrix('model.embed_tokens.weight', BYTE_VOCABULARY, hidden, 0.05)];
  for (let block = 0; block < SIZES.blocks; block++) {
    const name = (part: string): string => `model.layers.${block}.${part}.weight`;
    const out = 0.02 * STRENGTHS[block];
    list.push(
      ones(name('input_layernorm')),
      matrix(name('self_attn.q_proj'), q, hidden, 0.1),
      matrix(name('self_attn.k_proj'), kv, hidden, 0.1),
      matrix(name('self_attn.v_proj'), kv, hidden, 0.1),
      matrix(name('self_attn.o_proj'), hidden, q, out),
      ones(name('post_attention_layernorm')),
      matrix(name('mlp.gate_proj'), ffn, hidden, 0.1),
      matrix(name('mlp.up_proj'), ffn, hidden, 0.1),
      matrix(name('mlp.down_proj'), hidden, ffn, out),
    );
  }
  list.push(ones('model.norm.weight'));
  return list;
}

/** The bytes of a safetensors file: length of the header, header, tensors in order. */
function safetensors(list: readonly Tensor[]): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { name, shape, data } of list) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8)); // tensors start on a multiple of 8
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...list.map(({ data }) => Buffer.from(data.buffer))]);
}

/** Standard normal numbers (Box and Muller). */
function normals(seed: number): () => number {
  const random = new Random(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}
