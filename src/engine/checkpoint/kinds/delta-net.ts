/** The gated delta net (Yang et al. 2025): a state for each head, in which every token replaces what its key finds. */
import type { Kind } from './kind';

export interface DeltaNetMixer {
  readonly kind: 'deltaNet';
  /** Heads of queries and keys; each serves as many neighbouring ones of values. */
  readonly keyHeads: number;
  /** Heads of values. */
  readonly heads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  /** Tokens that the convolution sees. */
  readonly kernel: number;
}

export type DeltaNetLinear = 'deltaQkv' | 'deltaGate' | 'deltaBeta' | 'deltaDecay' | 'deltaOut';
export type DeltaNetWeight =
  DeltaNetLinear | `${DeltaNetLinear}Bias` | 'deltaKernel' | 'deltaTime' | 'deltaLog' | 'deltaNorm';

export const DELTA_NET_KIND: Kind<DeltaNetMixer> = {
  words: 'a gated delta net',
  linears: ['deltaQkv', 'deltaGate', 'deltaBeta', 'deltaDecay', 'deltaOut'],
  groups: () => [['deltaQkv', 'deltaGate', 'deltaBeta', 'deltaDecay'], ['deltaOut']],
  // They give one number a head.
  unadapted: ['deltaBeta', 'deltaDecay'],
  last: ({ heads, valueWidth }) => [{ name: 'deltaOut', width: heads * valueWidth, factor: 1 }],
  inner: ({ heads, valueWidth }) => heads * valueWidth,
  carried: (shape) => {
    const { heads, keyWidth, valueWidth, kernel } = shape;
    return { inputs: [kernel - 1, channelsOf(shape)], state: [heads, keyWidth, valueWidth] };
  },
  weights: (shape, { hidden, weight, bare }) => {
    const { heads, valueWidth, kernel } = shape;
    const channels = channelsOf(shape);
    return {
      deltaQkv: weight('deltaQkv', channels, hidden),
      deltaGate: weight('deltaGate', heads * valueWidth, hidden),
      deltaBeta: weight('deltaBeta', heads, hidden),
      deltaDecay: weight('deltaDecay', heads, hidden),
      deltaKernel: weight('deltaKernel', channels, 1, kernel),
      deltaTime: bare('deltaTime', heads),
      deltaLog: bare('deltaLog', heads),
      deltaNorm: weight('deltaNorm', valueWidth),
      deltaOut: weight('deltaOut', hidden, heads * valueWidth),
    };
  },
};

/** Queries, keys and values of all heads. */
const channelsOf = ({ keyHeads, keyWidth, heads, valueWidth }: DeltaNetMixer): number =>
  2 * keyHeads * keyWidth + heads * valueWidth;
