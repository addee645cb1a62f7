/** The gated short convolution of LFM2 (Liquid AI 2025): (b, c, u) = split of in n; out(c ⊙ conv(b ⊙ u)). */
import type { ConvolutionMixer } from '../../checkpoint/kinds/convolution';
import { mul } from '../../onnx/ops/elementwise';
import { reshape, split } from '../../onnx/ops/shapes';
import type { Compute } from '../parts';

export const shortConvolution: Compute<ConvolutionMixer> = (g, n, { channels, biased }, { project, weight, flow }) => {
  const [b, c, u] = split(g, project(n, ['convIn'])[0], 1, [channels, channels, channels]);
  const bias = biased ? weight('convKernelBias') : undefined;
  const mixed = flow.convolve('inputs', flow.byRow(mul(g, b, u)), weight('convKernel'), bias);
  return project(mul(g, c, reshape(g, mixed, [n.shape[0], channels])), ['convOut'])[0];
};
