/** Self-attention over heads, with or without grouped queries. */
import type { LinearName, Rope } from '../architecture';
import { biasWeights, type Kind } from './kind';

export interface AttentionMixer {
  readonly kind: 'attention';
  /** Query heads. */
  readonly heads: number;
  /** Key-value heads; equal to `heads` without grouped-query attention. */
  readonly kvHeads: number;
  /** Width of a head; `heads × headDim` may differ from `hidden`. */
  readonly headDim: number;
  /** A position attends to itself and this many − 1 earlier ones; null means all earlier ones. */
  readonly window: number | null;
  /** Rotation of queries and keys; null means no rotation. */
  readonly rope: Rope | null;
  /** The Linears with a bias, in the order of `LinearName`. */
  readonly biases: readonly LinearName[];
  /** RMSNorm on queries and keys before the rotation: on every head (Qwen3), or on all of them at once (OLMo 2). */
  readonly qkNorm: 'head' | 'width' | null;
  /** Bound of queries, keys and values, of either sign, after their norms (OLMoE); none if absent. */
  readonly clip?: number;
  /** A score more for each head, without a value: the weights of a position sum to less than 1 (gpt-oss); none if absent. */
  readonly sinks?: true;
  /** Whether `q` gives a gate of what attention gives as well, head by head behind the queries (Qwen3.5). */
  readonly gated?: true;
  /** Whether the block has `qkv` in place of its parts (Phi-3). */
  readonly fused: boolean;
}

export type AttentionLinear = 'qkv' | 'q' | 'k' | 'v' | 'o';
export type AttentionWeight = AttentionLinear | `${AttentionLinear}Bias` | 'qNorm' | 'kNorm' | 'sinks';

export const ATTENTION_KIND: Kind<AttentionMixer> = {
  words: 'attention',
  linears: ['qkv', 'q', 'k', 'v', 'o'],
  groups: ({ fused }) => (fused ? [['qkv'], ['o']] : [['q', 'k', 'v'], ['o']]),
  last: ({ heads, headDim }) => [{ name: 'o', width: heads * headDim, factor: 1 }],
  inner: ({ heads, headDim }) => heads * headDim,
  weights: ({ heads, kvHeads, headDim, biases, qkNorm, gated, fused, sinks }, names) => {
    const { hidden, weight } = names;
    const queryWidth = heads * headDim;
    const keyWidth = kvHeads * headDim;
    const all = queryWidth + 2 * keyWidth;
    const isWide = qkNorm === 'width';
    return {
      ...(fused
        ? { qkv: weight('qkv', all, hidden) }
        : {
            q: weight('q', gated ? 2 * queryWidth : queryWidth, hidden),
            k: weight('k', keyWidth, hidden),
            v: weight('v', keyWidth, hidden),
          }),
      o: weight('o', hidden, queryWidth),
      ...biasWeights(biases, names, { qkv: all, q: queryWidth, k: keyWidth, v: keyWidth, o: hidden }),
      ...(qkNorm && {
        qNorm: weight('qNorm', isWide ? queryWidth : headDim),
        kNorm: weight('kNorm', isWide ? keyWidth : headDim),
      }),
      ...(sinks && { sinks: names.bare('sinks', heads) }),
    };
  },
};
