/**
 * The reference's own reading of a Hugging Face `config.json`, straight from what transformers documents for each
 * family. Shares no code with the engine, so that the two can disagree.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rotationOf, type ReferenceRotation, type RopeSettings } from './rope';

/** Settings by kind of block: Gemma 3 in the layout of transformers 5. */
interface RopeByKind {
  readonly full_attention?: RopeSettings;
  readonly sliding_attention?: RopeSettings;
}

interface HubConfig {
  readonly model_type: string;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads?: number;
  readonly head_dim?: number | null;
  readonly rms_norm_eps?: number;
  readonly max_position_embeddings: number;
  readonly original_max_position_embeddings?: number;
  readonly rope_theta?: number | null;
  readonly rope_local_base_freq?: number;
  readonly rope_scaling?: RopeSettings | null;
  readonly rope_parameters?: (RopeSettings & RopeByKind) | null;
  readonly partial_rotary_factor?: number;
  readonly no_rope_layers?: readonly number[] | null;
  readonly no_rope_layer_interval?: number;
  readonly sliding_window?: number | null;
  readonly sliding_window_pattern?: number;
  readonly use_sliding_window?: boolean;
  readonly max_window_layers?: number;
  readonly layer_types?: readonly string[] | null;
  // factors and caps
  readonly query_pre_attn_scalar?: number;
  readonly attn_logit_softcapping?: number | null;
  readonly final_logit_softcapping?: number | null;
  readonly embedding_multiplier?: number;
  readonly attention_multiplier?: number;
  readonly residual_multiplier?: number;
  readonly logits_scaling?: number;
  /** The blocks of a ragged toy, one by one; each takes from the config what it does not say. */
  readonly toy_layers?: readonly Partial<HubConfig>[];
}

/** The shape of one block. */
export interface ReferenceLayer {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** How many positions a position sees, itself included. */
  readonly window: number;
  /** How queries and keys turn in a sequence of some length; undefined: they do not. */
  readonly rotation?: (length: number) => ReferenceRotation;
}

/** Names of the norms on what a module reads and on what it adds, below "model.layers.0."; undefined: there is none. */
export interface ReferenceNorms {
  readonly before?: string;
  readonly after?: string;
}

export interface ReferenceConfig {
  readonly blocks: number;
  readonly hidden: number;
  readonly eps: number;
  /** By block. */
  readonly layers: readonly ReferenceLayer[];
  readonly norms: { readonly attention: ReferenceNorms; readonly ffn: ReferenceNorms };
  /** A norm multiplies by this + its weight. */
  readonly normOffset: number;
  /** q and k are normalised over all heads at once, and not head by head. */
  readonly wideQkNorm: boolean;
  /** q, k, v are one matrix, and gate, up another. */
  readonly fused: boolean;
  readonly activation: 'silu' | 'gelu_tanh';
  readonly embedFactor: number;
  readonly residualFactor: number;
  /** Of q·k, for a head of this width. */
  readonly scoreFactor: (headDim: number) => number;
  /** Bounds of scores and logits, c·tanh(z/c); Infinity: none. */
  readonly scoreCap: number;
  readonly logitCap: number;
  readonly logitDivisor: number;
}

export function readReferenceConfig(folder: string): ReferenceConfig {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as HubConfig;
  const family = config.model_type;
  const isGemma = family.startsWith('gemma');
  const isGranite = family === 'granite';
  const hasQueryScalar = family === 'gemma2' || family === 'gemma3_text';
  return {
    blocks: config.num_hidden_layers,
    hidden: config.hidden_size,
    eps: config.rms_norm_eps ?? (family === 'phi3' || family === 'olmo2' ? 1e-5 : 1e-6),
    layers: Array.from({ length: config.num_hidden_layers }, (_, block) => layerOf(config, block)),
    norms: normsOf(family),
    normOffset: isGemma ? 1 : 0,
    wideQkNorm: family === 'olmo2',
    fused: family === 'phi3',
    activation: isGemma ? 'gelu_tanh' : 'silu',
    embedFactor: isGemma ? Math.sqrt(config.hidden_size) : isGranite ? (config.embedding_multiplier ?? 1) : 1,
    residualFactor: isGranite ? (config.residual_multiplier ?? 1) : 1,
    scoreFactor: (headDim) => {
      if (isGranite) return config.attention_multiplier ?? 1;
      return 1 / Math.sqrt(hasQueryScalar ? (config.query_pre_attn_scalar ?? 256) : headDim);
    },
    scoreCap: family === 'gemma2' ? capOf(config.attn_logit_softcapping, 50) : Infinity,
    logitCap: hasQueryScalar ? capOf(config.final_logit_softcapping, family === 'gemma2' ? 30 : Infinity) : Infinity,
    logitDivisor: isGranite ? (config.logits_scaling ?? 1) : 1,
  };
}

/** An absent field has a default; null is none. */
const capOf = (value: number | null | undefined, usual: number): number =>
  value === undefined ? usual : (value ?? Infinity);

function normsOf(family: string): ReferenceConfig['norms'] {
  if (family === 'olmo2') {
    return { attention: { after: 'post_attention_layernorm' }, ffn: { after: 'post_feedforward_layernorm' } };
  }
  if (family === 'gemma2' || family === 'gemma3_text') {
    return {
      attention: { before: 'input_layernorm', after: 'post_attention_layernorm' },
      ffn: { before: 'pre_feedforward_layernorm', after: 'post_feedforward_layernorm' },
    };
  }
  return { attention: { before: 'input_layernorm' }, ffn: { before: 'post_attention_layernorm' } };
}

function layerOf(whole: HubConfig, block: number): ReferenceLayer {
  const own = whole.toy_layers?.[block];
  const config = { ...whole, ...own };
  const family = config.model_type;
  const heads = config.num_attention_heads;
  const usualWidth = family.startsWith('gemma') ? 256 : config.hidden_size / heads;
  const usualKv = { gemma: 16, gemma2: 4, gemma3_text: 4, smollm3: 4 }[family] ?? heads;
  const headDim = config.head_dim ?? usualWidth;
  const turns = own ? own.rope_theta !== null : turnsIn(config, block);
  return {
    heads,
    kvHeads: config.num_key_value_heads ?? usualKv,
    headDim,
    window: own ? (own.sliding_window ?? Infinity) : windowOf(config, block),
    ...(turns && { rotation: rotationIn(config, block, headDim) }),
  };
}

/** SmolLM3: blocks with a 1 in the list turn; where there is none, all but every fourth. */
function turnsIn(config: HubConfig, block: number): boolean {
  if (config.model_type !== 'smollm3') return true;
  if (config.no_rope_layers) return config.no_rope_layers[block] === 1;
  return (block + 1) % (config.no_rope_layer_interval ?? 4) !== 0;
}

/** Mistral, Phi-3: the window holds for every block. The others: for sliding ones. */
function windowOf(config: HubConfig, block: number): number {
  const window = config.sliding_window ?? Infinity;
  switch (config.model_type) {
    case 'mistral':
    case 'phi3':
      return window;
    case 'qwen2':
    case 'qwen3':
    case 'gemma2':
    case 'gemma3_text':
    case 'smollm3':
      return slidesIn(config, block) ? (config.sliding_window === undefined ? 4096 : window) : Infinity;
    default:
      return Infinity;
  }
}

/** A block slides as the list says, or by the rule of its family. */
function slidesIn(config: HubConfig, block: number): boolean {
  const listed = config.layer_types ? config.layer_types[block] === 'sliding_attention' : undefined;
  switch (config.model_type) {
    case 'gemma2':
      return listed ?? block % 2 === 0;
    case 'gemma3_text':
      return listed ?? (block + 1) % (config.sliding_window_pattern ?? 6) !== 0;
    case 'smollm3':
      return listed ?? (config.use_sliding_window === true && !turnsIn(config, block));
    default:
      // Qwen: when switched on, for those of the list or from `max_window_layers` up.
      return config.use_sliding_window === true && (listed ?? block >= (config.max_window_layers ?? 28));
  }
}

function rotationIn(config: HubConfig, block: number, headDim: number): (length: number) => ReferenceRotation {
  const { settings, theta } = settingsIn(config, block);
  const share = settings.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  const isPhi = config.model_type === 'phi3';
  const definition = {
    // Phi-3's older files call LongRoPE "su" and "yarn".
    settings: isPhi && /^(su|yarn)$/.test(kindOf(settings)) ? { ...settings, rope_type: 'longrope' } : settings,
    theta,
    turned: isPhi ? Math.floor(headDim * share) : headDim,
    context: config.max_position_embeddings,
    original: config.original_max_position_embeddings ?? (isPhi ? 4096 : undefined),
  };
  return (length) => rotationOf(definition, length);
}

const kindOf = ({ rope_type, type }: RopeSettings): string => rope_type ?? type ?? 'default';

/** Settings and base of a block's rotation. Gemma 3 has one for full blocks, another for sliding ones. */
function settingsIn(config: HubConfig, block: number): { settings: RopeSettings; theta: number } {
  const { rope_parameters: parameters, rope_scaling: scaling } = config;
  const usualTheta = { gemma3_text: 1e6, smollm3: 2e6 }[config.model_type] ?? 1e4;
  if (config.model_type === 'gemma3_text' && slidesIn(config, block)) {
    const settings = parameters?.sliding_attention ?? {};
    return { settings, theta: settings.rope_theta ?? config.rope_local_base_freq ?? 1e4 };
  }
  const settings = parameters?.full_attention ?? parameters ?? scaling ?? {};
  return { settings, theta: settings.rope_theta ?? config.rope_theta ?? usualTheta };
}
