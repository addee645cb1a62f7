/** One typed description of a decoder-only Transformer, read from a Hugging Face `config.json`. */

/** The Linears of a block. */
export type LinearName = 'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down';

/** Rotary position embedding: the three scaling kinds of transformers, and what a GGUF file says. */
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
    };

export interface Rope {
  /** Base of the angular frequencies. */
  readonly theta: number;
  readonly scaling: RopeScaling;
}

/** What can differ from block to block. */
export interface LayerShape {
  /** Query heads. */
  readonly heads: number;
  /** Key-value heads; equal to `heads` without grouped-query attention. */
  readonly kvHeads: number;
  /** Width of a head; `heads × headDim` may differ from `hidden`. */
  readonly headDim: number;
  /** Width of the FFN. */
  readonly ffn: number;
  /** A position attends to itself and this many − 1 earlier ones; null means all earlier ones. */
  readonly window: number | null;
  /** Rotation of queries and keys; null means no rotation. */
  readonly rope: Rope | null;
  /** The Linears with a bias, in the order of `LinearName`. */
  readonly biases: readonly LinearName[];
  /** RMSNorm on every query and key head before the rotation (Qwen3). */
  readonly qkNorm: boolean;
}

export interface Architecture {
  /** `model_type` of its family (families/). */
  readonly family: string;
  /** The Transformer blocks, in order. */
  readonly layers: readonly LayerShape[];
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
