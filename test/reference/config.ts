/**
 * The reference's own reading of a Hugging Face `config.json`, straight from what transformers documents for
 * LLaMA, Mistral, Qwen2 and Qwen3. Shares no code with the engine, so that the two can disagree.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface RopeSettings {
  readonly rope_theta?: number;
  readonly rope_type?: string;
  /** The name of `rope_type` before transformers 4.43. */
  readonly type?: string;
  readonly factor?: number;
  readonly low_freq_factor?: number;
  readonly high_freq_factor?: number;
  readonly original_max_position_embeddings?: number;
}

interface HubConfig {
  readonly model_type: string;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads?: number;
  readonly head_dim?: number | null;
  readonly rms_norm_eps: number;
  readonly rope_theta?: number | null;
  readonly rope_scaling?: RopeSettings | null;
  readonly rope_parameters?: RopeSettings | null;
  readonly sliding_window?: number | null;
  readonly use_sliding_window?: boolean;
  readonly max_window_layers?: number;
  readonly layer_types?: readonly string[] | null;
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
  /** Radians a position, for each of the headDim / 2 pairs. */
  readonly frequencies: readonly number[];
}

export interface ReferenceConfig {
  readonly blocks: number;
  readonly hidden: number;
  readonly eps: number;
  /** By block. */
  readonly layers: readonly ReferenceLayer[];
}

export function readReferenceConfig(folder: string): ReferenceConfig {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as HubConfig;
  return {
    blocks: config.num_hidden_layers,
    hidden: config.hidden_size,
    eps: config.rms_norm_eps,
    layers: Array.from({ length: config.num_hidden_layers }, (_, block) => layerOf(config, block)),
  };
}

function layerOf(whole: HubConfig, block: number): ReferenceLayer {
  const own = whole.toy_layers?.[block];
  const config = { ...whole, ...own };
  const heads = config.num_attention_heads;
  const headDim = config.head_dim ?? config.hidden_size / heads;
  return {
    heads,
    kvHeads: config.num_key_value_heads ?? heads,
    headDim,
    window: own ? (own.sliding_window ?? Infinity) : windowOf(config, block),
    // Angles of 0 rotate nothing.
    frequencies: own?.rope_theta === null ? Array<number>(headDim / 2).fill(0) : ropeFrequencies(config, headDim),
  };
}

/** Mistral: the window holds for every block. Qwen: when switched on, for those of `layer_types` or from `max_window_layers` up. */
function windowOf(config: HubConfig, block: number): number {
  const window = config.sliding_window ?? Infinity;
  if (config.model_type === 'mistral') return window;
  if (!config.model_type.startsWith('qwen') || config.use_sliding_window !== true) return Infinity;
  const sliding = config.layer_types
    ? config.layer_types[block] === 'sliding_attention'
    : block >= (config.max_window_layers ?? 28);
  return sliding ? window : Infinity;
}

function ropeFrequencies(config: HubConfig, headDim: number): number[] {
  const rope = config.rope_parameters ?? config.rope_scaling ?? {};
  const theta = config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10000;
  const unscaled = Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  const kind = rope.rope_type ?? rope.type ?? 'default';
  if (kind === 'default') return unscaled;
  if (kind === 'linear') return unscaled.map((frequency) => frequency / rope.factor!);
  if (kind !== 'llama3') throw new Error(`the reference knows no rope type ${kind}`);
  return unscaled.map((frequency) => llama3Frequency(frequency, rope));
}

/**
 * LLaMA 3.1: pairs that turn often within the original context keep their frequency, those that turn seldom are
 * slowed by `factor`, and those between are interpolated linearly in their number of turns.
 */
function llama3Frequency(frequency: number, rope: RopeSettings): number {
  const turns = (rope.original_max_position_embeddings! * frequency) / (2 * Math.PI);
  const kept = (turns - rope.low_freq_factor!) / (rope.high_freq_factor! - rope.low_freq_factor!);
  const share = Math.min(1, Math.max(0, kept));
  return share * frequency + (1 - share) * (frequency / rope.factor!);
}
