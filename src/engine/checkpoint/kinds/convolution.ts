/** The gated short convolution (LFM2): out(c ⊙ conv(b ⊙ u)) with (b, c, u) = in(n). */
import type { LinearName } from '../architecture';
import { biasWeights, type Kind } from './kind';

export interface ConvolutionMixer {
  readonly kind: 'convolution';
  /** Channels, each convolved by itself: as many as the residual stream has. */
  readonly channels: number;
  /** Tokens that it sees: a token itself and those before it. */
  readonly kernel: number;
  /** Whether both Linears and the convolution have biases. */
  readonly biased: boolean;
}

export type ConvolutionLinear = 'convIn' | 'convOut';
export type ConvolutionWeight = ConvolutionLinear | `${ConvolutionLinear}Bias` | 'convKernel' | 'convKernelBias';

const LINEARS: readonly LinearName[] = ['convIn', 'convOut'];

export const CONVOLUTION_KIND: Kind<ConvolutionMixer> = {
  words: 'a short convolution',
  linears: LINEARS,
  groups: () => LINEARS.map((linear) => [linear]),
  last: ({ channels }) => [{ name: 'convOut', width: channels, factor: 1 }],
  inner: ({ channels }) => channels,
  carried: ({ channels, kernel }) => ({ inputs: [kernel - 1, channels] }),
  weights: ({ channels, kernel, biased }, names) => ({
    convIn: names.weight('convIn', 3 * channels, names.hidden),
    convKernel: names.weight('convKernel', channels, 1, kernel),
    convOut: names.weight('convOut', names.hidden, channels),
    ...(biased && { convKernelBias: names.bias('convKernel', channels) }),
    ...biasWeights(biased ? LINEARS : [], names, { convIn: 3 * channels, convOut: names.hidden }),
  }),
};
