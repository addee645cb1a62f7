/** One typed description of a decoder-only Transformer, read from a Hugging Face `config.json`. */
import {
  FEED_FORWARD_LINEARS,
  type FeedForward,
  type FeedForwardLinear,
  feedForwardKind,
  type Mixer,
  MIXER_LINEARS,
  type MixerLinear,
  mixerKind,
  UNADAPTED,
} from './kinds';
import { expertGroups } from './kinds/experts';
import type { LastLinear } from './kinds/kind';
import { ropeOf } from './kinds/parts';

/**
 * The Linears of a block. Some files hold q, k and v on top of each other in one matrix, `qkv`, and gate and up in another,
 * `gateUp`; such a block has these in place of their parts.
 */
export type LinearName = MixerLinear | FeedForwardLinear;

/** Rotary position embedding: the scaling kinds of transformers, and what a GGUF file says. */
export type RopeScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContext: number;
    }
  | {
      /** A divisor for the frequency of each pair, as GGUF files have them. */
      readonly kind: 'factors';
      readonly factors: readonly number[];
      /** Factor of cosines and sines; 1 if absent. */
      readonly magnitude?: number;
    }
  | YarnScaling
  | {
      /** The base grows with the length of the sequence (dynamic NTK). */
      readonly kind: 'dynamic';
      readonly factor: number;
      /** Up to this length nothing is scaled. */
      readonly context: number;
    }
  | {
      /** Divisors of the frequencies by the length of the sequence (LongRoPE, Ding et al. 2024), one for each pair. */
      readonly kind: 'longrope';
      /** For sequences of up to `originalContext` tokens. */
      readonly short: readonly number[];
      readonly long: readonly number[];
      readonly originalContext: number;
      /** Factor of cosines and sines. */
      readonly magnitude: number;
    };

/** Slow pairs are stretched, fast ones kept, those between interpolated (YaRN, Peng et al. 2023). */
export interface YarnScaling {
  readonly kind: 'yarn';
  readonly factor: number;
  readonly originalContext: number;
  /** A pair that turns this often within the original context is kept. */
  readonly betaFast: number;
  /** A pair that turns this seldom is stretched by the whole factor. */
  readonly betaSlow: number;
  /** Whether the bounds of the interpolation are whole pairs. */
  readonly truncate: boolean;
  /** Factor of cosines and sines. */
  readonly magnitude: number;
}

export interface Rope {
  /** Base of the angular frequencies. */
  readonly theta: number;
  readonly scaling: RopeScaling;
  /** Entries of a head that turn, from its first one on, an even number; the whole head if absent. */
  readonly turned?: number;
}

/** What can differ from block to block. A block is a mixer and a feed-forward. */
export interface LayerShape {
  readonly mixer: Mixer;
  readonly ffn: FeedForward;
}

/** How a family computes. The same for all blocks. */
export interface Style {
  /** Where a module has its RMSNorm: on its input (LLaMA), on its output (OLMo 2), or on both (Gemma 2). */
  readonly norms: 'before' | 'after' | 'both';
  /** A norm multiplies by this number + its weight, norms of queries and keys included. */
  readonly normOffset: number;
  /** Of the gate: SiLU, or GELU in its approximation by tanh. */
  readonly activation: 'silu' | 'gelu';
  /** Factor of what a module adds to the residual stream. */
  readonly residualScale: number;
  /** Factor of the scores q·k; null means 1/√headDim. */
  readonly scoreScale: number | null;
  /** Bound c of the scores, c · tanh(score / c), before the mask; null means none. */
  readonly scoreCap: number | null;
  /** Factor of the embedding's rows. The head shares the matrix without it. */
  readonly embedScale: number;
  /** Factor of the logits. */
  readonly logitScale: number;
  /** Bound of the logits after the factor; null means none. */
  readonly logitCap: number | null;
}

/** LLaMA's. */
export const PLAIN_STYLE: Style = {
  norms: 'before',
  normOffset: 0,
  activation: 'silu',
  residualScale: 1,
  scoreScale: null,
  scoreCap: null,
  embedScale: 1,
  logitScale: 1,
  logitCap: null,
};

export interface Architecture {
  /** `model_type` of its family (families/). */
  readonly family: string;
  /** The Transformer blocks, in order. */
  readonly layers: readonly LayerShape[];
  readonly style: Style;
  /** Width of the residual stream. */
  readonly hidden: number;
  readonly vocabulary: number;
  /** Longest position that the model was made for (`max_position_embeddings`). */
  readonly context: number;
  readonly rmsNormEps: number;
  /** The head shares the embedding's matrix. */
  readonly tied: boolean;
  readonly bosTokenId?: number;
  /** End-of-text ids; empty if the config has none. */
  readonly eosTokenIds: readonly number[];
}

/** Every name of a Linear, in order. */
export const LINEARS_IN_ORDER: readonly LinearName[] = [...MIXER_LINEARS, ...FEED_FORWARD_LINEARS];

/** The Linears of a block in groups that share an input, in the order in which they are applied. */
export const linearGroups = ({ mixer, ffn }: LayerShape): readonly (readonly LinearName[])[] => [
  ...mixerKind(mixer).groups(mixer),
  ...feedForwardKind(ffn).groups(ffn),
];

/** The same with the matrices of experts, expert after expert: all products that a precision rounds. */
export function productGroups(layer: LayerShape): readonly (readonly LinearName[])[] {
  const count = layer.ffn.kind === 'experts' ? layer.ffn.count : 0;
  return [...linearGroups(layer), ...Array.from({ length: count }, (_, expert) => expertGroups(expert)).flat()];
}

/** The Linears of a block, in that order. */
export const linearsOf = (layer: LayerShape): readonly LinearName[] => linearGroups(layer).flat();

/** The Linears that blocks of a model have, in the order of `LINEARS_IN_ORDER`. */
export function linearNames({ layers }: Pick<Architecture, 'layers'>): readonly LinearName[] {
  const found = new Set(layers.flatMap(linearsOf));
  return LINEARS_IN_ORDER.filter((name) => found.has(name));
}

/**
 * The Linears that adapters can have, in that order: those of mixers alone where a block has nothing but experts in its feed-forward,
 * because most of its weights are in matrices that no adapter has.
 */
export function adaptableNames(architecture: Pick<Architecture, 'layers'>): readonly LinearName[] {
  const names = linearNames(architecture).filter((name) => !UNADAPTED.has(name));
  const isExpertsAlone = ({ ffn }: LayerShape): boolean => ffn.kind === 'experts' && ffn.shared === undefined;
  return architecture.layers.some(isExpertsAlone) ? names.filter((name) => moduleOf(name) === 'attention') : names;
}

const OF_MIXERS: ReadonlySet<string> = new Set(MIXER_LINEARS);

/** The module that a Linear is a part of. */
export const moduleOf = (name: LinearName): 'attention' | 'ffn' => (OF_MIXERS.has(name) ? 'attention' : 'ffn');

/** The Linears of a module whose outputs go into the stream, experts aside, which healing corrects. */
export function lastLinears(
  { layers }: Pick<Architecture, 'layers'>,
  block: number,
  part: 'mixer' | 'ffn',
): readonly LastLinear[] {
  const { mixer, ffn } = layers[block];
  return part === 'mixer' ? mixerKind(mixer).last(mixer) : feedForwardKind(ffn).last(ffn);
}

/** Most tokens of a text: the context, or as far as dynamic scaling stretches it. */
export function longestText({ context, layers }: Pick<Architecture, 'context' | 'layers'>): number {
  const factors = layers.map((layer) => {
    const scaling = ropeOf(layer)?.scaling;
    return scaling?.kind === 'dynamic' ? scaling.factor : 1;
  });
  return Math.floor(context * Math.max(1, ...factors));
}

/** The model with only the blocks `kept` (0-based), in that order. */
export function withLayers(architecture: Architecture, kept: readonly number[]): Architecture {
  return { ...architecture, layers: kept.map((block) => architecture.layers[block]) };
}

/** The model without the blocks `removed` (0-based). */
export function withoutLayers(architecture: Architecture, removed: readonly number[]): Architecture {
  const all = Array.from(architecture.layers.keys());
  return withLayers(
    architecture,
    all.filter((block) => !removed.includes(block)),
  );
}
