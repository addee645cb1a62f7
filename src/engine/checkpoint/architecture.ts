/** One typed description of a decoder-only Transformer, read from a Hugging Face `config.json`. */

export type Family = 'llama' | 'mistral' | 'qwen2' | 'qwen3';

/** Rotary position embedding, as transformers defines the three scaling kinds. */
export type RopeScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContext: number;
    };

export interface Architecture {
  readonly family: Family;
  /** Number of Transformer blocks, L. */
  readonly blocks: number;
  /** Width of the residual stream. */
  readonly hidden: number;
  /** Query heads. */
  readonly heads: number;
  /** Key-value heads; equal to `heads` without grouped-query attention. */
  readonly kvHeads: number;
  /** Width of a head; `heads × headDim` may differ from `hidden`. */
  readonly headDim: number;
  /** Width of the FFN. */
  readonly ffn: number;
  readonly vocabulary: number;
  /** Longest position that the model was made for (`max_position_embeddings`). */
  readonly context: number;
  readonly rmsNormEps: number;
  readonly rope: { readonly theta: number; readonly scaling: RopeScaling };
  /** The head shares the embedding's matrix. */
  readonly tied: boolean;
  readonly qkvBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  /** RMSNorm on every query and key head before the rotation (Qwen3). */
  readonly qkNorm: boolean;
  /** Per block: a position sees itself and this many − 1 before it; null is all of them. */
  readonly slidingWindow: readonly (number | null)[];
  readonly bosTokenId?: number;
  /** Ids that end a text; empty when the config names none. */
  readonly eosTokenIds: readonly number[];
}
