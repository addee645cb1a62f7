/**
 * What the metadata of a GGUF file say about its model, as an architecture and as the config.json that transformers would
 * have for it. llama.cpp has one architecture, "llama", for LLaMA, Mistral and all that use their block.
 */
import { counted } from '../../../format/words';
import { printable } from '../../formats/bounded-json';
import type { GgufEntry } from '../../formats/gguf/metadata';
import type { GgufTensor } from '../../formats/gguf/tensors';
import { MAX_DIMENSION } from '../../formats/limits';
import { type Architecture, type LayerShape, type LinearName, type Rope, PLAIN_STYLE } from '../architecture';
import type { Unsupported } from '../types';
import { GgufFields } from './fields';
import { GGUF_BLOCK_NAMES } from './names';
import { scalingOf } from './rope';

/** llama.cpp's architectures that Coppice computes with, and the family whose block is the same. */
const FAMILIES: Readonly<Record<string, string>> = { llama: 'llama', deci: 'llama', qwen2: 'qwen2', qwen3: 'qwen3' };

/** Architectures whose files have the rows of queries and keys in the order of rotated pairs. */
const PAIRED: ReadonlySet<string> = new Set(['llama', 'deci']);

export interface GgufModel {
  readonly architecture: Architecture;
  /** As in a config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Rows of queries and keys are in the order of rotated pairs. */
  readonly paired: boolean;
  readonly notes: readonly string[];
}

/** The parts of a file that describe its model. */
export interface GgufDescription {
  /** Name of the file, for messages. */
  readonly file: string;
  readonly metadata: ReadonlyMap<string, GgufEntry>;
  /** By llama.cpp's names. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Numbers of the tensor `rope_freqs.weight`. */
  readonly ropeFactors?: readonly number[];
}

/**
 * Reads the description. Returns the reason if Coppice cannot compute with the model.
 * @throws UserError that names a key which is missing or impossible
 */
export function describeGguf(gguf: GgufDescription): GgufModel | Unsupported {
  const name = gguf.metadata.get('general.architecture')?.value;
  const family = typeof name === 'string' ? FAMILIES[name] : undefined;
  if (typeof name !== 'string' || family === undefined) return unknownArchitecture(name);
  const fields = new GgufFields(gguf.metadata, gguf.file, name);
  const odd = oddField(fields);
  if (odd !== undefined) return unsupported(odd);
  const blocks = fields.count('block_count', MAX_DIMENSION.blocks);
  const hidden = fields.count('embedding_length', MAX_DIMENSION.hidden);
  const layers = layersOf(fields, gguf, { blocks, hidden });
  if ('why' in layers) return layers;
  const tied = !gguf.tensors.has('output.weight');
  const vocabulary = gguf.tensors.get('token_embd.weight')?.shape[0] ?? 0;
  const architecture: Architecture = {
    family,
    layers,
    style: PLAIN_STYLE,
    hidden,
    vocabulary,
    context: fields.count('context_length', MAX_DIMENSION.context),
    rmsNormEps: fields.number('attention.layer_norm_rms_epsilon', undefined, true),
    tied,
    ...specialTokens(fields, vocabulary),
  };
  const window = fields.optional(fields.key('attention.sliding_window'));
  const notes =
    typeof window === 'number' && window > 0
      ? [
          `${fields.key('attention.sliding_window')} is ${window}; llama.cpp attends to all earlier positions, and so does Coppice`,
        ]
      : [];
  return { architecture, config: configOf(architecture, gguf.tensors), paired: PAIRED.has(name), notes };
}

function unknownArchitecture(name: unknown): Unsupported {
  const known = Object.keys(FAMILIES).join(', ');
  const why =
    typeof name === 'string'
      ? `general.architecture is "${printable(name, 60)}"`
      : `general.architecture is ${name === undefined ? 'missing' : 'not a text'}`;
  return unsupported(why, `Coppice computes with GGUF files of ${known}; the file can be inspected.`);
}

const unsupported = (why: string, action = 'The file can be inspected.'): Unsupported => ({ why, action });

/** Numbers that change what a block computes, with the value that changes nothing. */
const NEUTRAL: Readonly<Record<string, number | boolean>> = {
  expert_count: 0,
  logit_scale: 0,
  embedding_scale: 0,
  residual_scale: 0,
  attn_logit_softcapping: 0,
  final_logit_softcapping: 0,
  'attention.scale': 0,
  'attention.clamp_kqv': 0,
  'attention.max_alibi_bias': 0,
  'attention.causal': true,
  use_parallel_residual: false,
};

/** What the metadata ask for that Coppice does not compute. */
function oddField(fields: GgufFields): string | undefined {
  for (const [field, neutral] of Object.entries(NEUTRAL)) {
    const value = fields.optional(fields.key(field));
    if (value !== undefined && value !== neutral) {
      const shown = typeof value === 'object' ? 'a list' : printable(String(value), 40);
      if (field === 'expert_count') return `it is a mixture of ${shown} experts`;
      return `${fields.key(field)} is ${shown}, which Coppice does not compute`;
    }
  }
  return undefined;
}

/** The weights of a block that say what it has, by the end of their names. */
const OPTIONAL_BIASES: readonly (readonly [LinearName, string])[] = (
  ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const
).map((linear) => [linear, GGUF_BLOCK_NAMES[`${linear}Bias`]] as const);

function layersOf(
  fields: GgufFields,
  gguf: GgufDescription,
  { blocks, hidden }: { readonly blocks: number; readonly hidden: number },
): readonly LayerShape[] | Unsupported {
  const { tensors } = gguf;
  const heads = fields.counts('attention.head_count', blocks, MAX_DIMENSION.heads);
  const kvHeads = fields.counts('attention.head_count_kv', blocks, MAX_DIMENSION.heads, heads);
  const ffn = fields.counts('feed_forward_length', blocks, MAX_DIMENSION.ffn);
  const headDim = fields.count('attention.key_length', MAX_DIMENSION.headDim, Math.floor(hidden / heads[0]));
  const rope = ropeOf(fields, gguf, headDim);
  if ('why' in rope) return rope;
  const layers: LayerShape[] = [];
  for (let block = 0; block < blocks; block++) {
    if (heads[block] % kvHeads[block] !== 0) {
      const shared = `${counted(kvHeads[block], 'key-value head')} of block ${block} cannot be shared by`;
      throw fields.bad(fields.key('attention.head_count_kv'), `${shared} ${counted(heads[block], 'query head')}`);
    }
    const has = (name: string): boolean => tensors.has(`blk.${block}.${name}`);
    if (has('attn_qkv.weight')) {
      return unsupported(`blk.${block}.attn_qkv.weight has queries, keys and values in one tensor`);
    }
    const biases = OPTIONAL_BIASES.filter(([, name]) => has(name)).map(([linear]) => linear);
    const qkNorm = has(GGUF_BLOCK_NAMES.qNorm) || fields.architecture === 'qwen3';
    layers.push({
      heads: heads[block],
      kvHeads: kvHeads[block],
      headDim,
      ffn: ffn[block],
      window: null,
      rope,
      biases,
      qkNorm: qkNorm ? 'head' : null,
      fused: false,
    });
  }
  return layers;
}

function ropeOf(fields: GgufFields, { ropeFactors, tensors }: GgufDescription, headDim: number): Rope | Unsupported {
  if (headDim % 2 !== 0)
    throw fields.bad(fields.key('attention.key_length'), `a head of ${headDim} is not rotated in pairs`);
  const width = fields.count('attention.value_length', MAX_DIMENSION.headDim, headDim);
  if (width !== headDim) return unsupported(`its values have ${width} numbers a head, and its keys ${headDim}`);
  const rotated = fields.count('rope.dimension_count', MAX_DIMENSION.headDim, headDim);
  if (rotated !== headDim) return unsupported(`only ${rotated} of the ${headDim} numbers of a head are rotated`);
  if (tensors.has('rope_factors_long.weight') || tensors.has('rope_factors_short.weight')) {
    return unsupported('its rotation is scaled by "longrope"');
  }
  const theta = fields.number('rope.freq_base', 10_000);
  if (ropeFactors) return { theta, scaling: scalingOf(ropeFactors, theta) };
  const kind = fields.text(fields.key('rope.scaling.type')) ?? (fields.has('rope.scale_linear') ? 'linear' : 'none');
  if (kind === 'none') return { theta, scaling: { kind: 'default' } };
  if (kind !== 'linear') return unsupported(`its rotation is scaled by "${printable(kind, 40)}"`);
  const factor = fields.number(fields.has('rope.scaling.factor') ? 'rope.scaling.factor' : 'rope.scale_linear', 1);
  return { theta, scaling: factor === 1 ? { kind: 'default' } : { kind: 'linear', factor } };
}

function specialTokens(fields: GgufFields, vocabulary: number): Pick<Architecture, 'bosTokenId' | 'eosTokenIds'> {
  const id = (name: string): number[] => {
    const value = fields.optional(`tokenizer.ggml.${name}_token_id`);
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < vocabulary ? [value] : [];
  };
  const [bosTokenId] = id('bos');
  return {
    ...(bosTokenId !== undefined && { bosTokenId }),
    eosTokenIds: [...new Set([...id('eos'), ...id('eot'), ...id('eom')])],
  };
}

const CLASSES: Readonly<Record<string, string>> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

const TYPES: Readonly<Record<string, string>> = { F16: 'float16', BF16: 'bfloat16' };

/** Of the first block's shape: what differs from block to block is described when a checkpoint is written. */
function configOf(
  { family, layers, hidden, vocabulary, context, rmsNormEps, tied, bosTokenId, eosTokenIds }: Architecture,
  tensors: ReadonlyMap<string, GgufTensor>,
): Readonly<Record<string, unknown>> {
  const [{ heads, kvHeads, headDim, ffn, rope, biases }] = layers;
  const scaling = rope && scalingConfig(rope);
  const stored = tensors.get('blk.0.ffn_down.weight')?.dtype;
  return {
    architectures: [CLASSES[family]],
    model_type: family,
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: ffn,
    num_hidden_layers: layers.length,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    hidden_act: 'silu',
    max_position_embeddings: context,
    rms_norm_eps: rmsNormEps,
    rope_theta: rope?.theta,
    rope_scaling: scaling ?? null,
    tie_word_embeddings: tied,
    ...(family === 'llama' && { attention_bias: biases.includes('o'), mlp_bias: biases.includes('down') }),
    ...(family === 'qwen3' && { attention_bias: biases.includes('q') }),
    ...(family !== 'llama' && { use_sliding_window: false }),
    bos_token_id: bosTokenId ?? null,
    eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds.length > 1 ? eosTokenIds : null,
    torch_dtype: TYPES[stored ?? ''] ?? 'float32',
  };
}

function scalingConfig({ scaling }: Rope): Readonly<Record<string, unknown>> | undefined {
  switch (scaling.kind) {
    case 'default':
      return undefined;
    case 'linear':
      return { rope_type: 'linear', factor: scaling.factor };
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalContext,
      };
    case 'factors':
    case 'yarn':
    case 'dynamic':
    case 'longrope':
      // No config says the first; a GGUF file that says another is refused.
      return { rope_type: scaling.kind };
  }
}
