/** The gated FFN: down(activation(gate(m)) ⊙ up(m)). */
import type { LinearName } from '../architecture';
import { biasWeights, type Kind } from './kind';

export interface DenseFeedForward {
  readonly kind: 'dense';
  /** Neurons. */
  readonly width: number;
  /** The Linears with a bias, in the order of `LinearName`. */
  readonly biases: readonly LinearName[];
  /** Whether the block has `gateUp` in place of its parts (Phi-3). */
  readonly fused: boolean;
  /** What is multiplied before the activation, and what the FFN gives (Falcon-H1); nothing if absent. */
  readonly factors?: { readonly gate: number; readonly output: number };
}

export type DenseLinear = 'gateUp' | 'gate' | 'up' | 'down';
export type DenseWeight = DenseLinear | `${DenseLinear}Bias`;

export const DENSE_KIND: Kind<DenseFeedForward> = {
  words: 'a dense FFN',
  linears: ['gateUp', 'gate', 'up', 'down'],
  groups: ({ fused }) => (fused ? [['gateUp'], ['down']] : [['gate', 'up'], ['down']]),
  last: ({ width, factors }) => [{ name: 'down', width, factor: factors?.output ?? 1 }],
  inner: ({ width }) => width,
  weights: ({ width, biases, fused }, names) => {
    const { hidden, weight } = names;
    return {
      ...(fused
        ? { gateUp: weight('gateUp', 2 * width, hidden) }
        : { gate: weight('gate', width, hidden), up: weight('up', width, hidden) }),
      down: weight('down', hidden, width),
      ...biasWeights(biases, names, { gateUp: 2 * width, gate: width, up: width, down: hidden }),
    };
  },
};
