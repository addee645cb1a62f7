/** Mamba-2 (Dao & Gu 2024): a state for each head, which fades and takes in every token. */
import type { LinearName } from '../architecture';
import { biasWeights, type Kind } from './kind';

export interface MambaMixer {
  readonly kind: 'mamba';
  readonly heads: number;
  /** Width of a head. */
  readonly headDim: number;
  /** Groups of heads, each with its own B and C. */
  readonly groups: number;
  /** Numbers of the state for each entry of a head. */
  readonly stateWidth: number;
  /** Tokens that the convolution sees. */
  readonly kernel: number;
  readonly kernelBias: boolean;
  /** The Linears with a bias. */
  readonly biases: readonly LinearName[];
  /** Bounds of the steps of time; Infinity for none above. */
  readonly steps: readonly [least: number, most: number];
  /** Where the norm of each group is: before the gate or behind it; null for none. */
  readonly norm: 'beforeGate' | 'afterGate' | null;
  readonly factors: MambaFactors;
}

/** What is multiplied; 1 in most models. */
export interface MambaFactors {
  readonly input: number;
  /** The parts of the first Linear's output: gate, x, B, C and steps of time. */
  readonly parts: readonly [number, number, number, number, number];
}

export const NO_FACTORS: MambaFactors = { input: 1, parts: [1, 1, 1, 1, 1] };

export type MambaLinear = 'ssmIn' | 'ssmOut';
export type MambaWeight =
  MambaLinear | `${MambaLinear}Bias` | 'ssmKernel' | 'ssmKernelBias' | 'ssmTime' | 'ssmLog' | 'ssmSkip' | 'ssmNorm';

/** Channels together of all heads, and of all B or all C. */
export const mambaWidths = ({
  heads,
  headDim,
  groups,
  stateWidth,
}: MambaMixer): { readonly inner: number; readonly shared: number } => ({
  inner: heads * headDim,
  shared: groups * stateWidth,
});

export const MAMBA_KIND: Kind<MambaMixer> = {
  words: 'Mamba',
  linears: ['ssmIn', 'ssmOut'],
  groups: () => [['ssmIn'], ['ssmOut']],
  // PEFT refuses out_proj beside Mamba's fast path.
  unadapted: ['ssmOut'],
  last: (shape) => [{ name: 'ssmOut', width: mambaWidths(shape).inner, factor: 1 }],
  inner: (shape) => mambaWidths(shape).inner,
  carried: (shape) => {
    const { inner, shared } = mambaWidths(shape);
    const { heads, headDim, stateWidth, kernel } = shape;
    return { inputs: [kernel - 1, inner + 2 * shared], state: [heads, stateWidth, headDim] };
  },
  weights: (shape, names) => {
    const { inner, shared } = mambaWidths(shape);
    const { heads, kernel, kernelBias, biases, norm } = shape;
    const { hidden, weight, bias, bare } = names;
    const channels = inner + 2 * shared;
    const projected = inner + channels + heads;
    return {
      ssmIn: weight('ssmIn', projected, hidden),
      ssmKernel: weight('ssmKernel', channels, 1, kernel),
      ...(kernelBias && { ssmKernelBias: bias('ssmKernel', channels) }),
      ssmTime: bare('ssmTime', heads),
      ssmLog: bare('ssmLog', heads),
      ssmSkip: bare('ssmSkip', heads),
      ...(norm !== null && { ssmNorm: weight('ssmNorm', inner) }),
      ssmOut: weight('ssmOut', hidden, inner),
      ...biasWeights(biases, names, { ssmIn: projected, ssmOut: hidden }),
    };
  },
};
