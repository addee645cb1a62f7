/** The gated FFN (SwiGLU and GeGLU, Shazeer 2020). */
import type { DenseFeedForward } from '../../checkpoint/kinds/dense';
import { geGlu, scale, swiGlu } from '../../onnx/ops/elementwise';
import { split } from '../../onnx/ops/shapes';
import type { Compute } from '../parts';

export const dense: Compute<DenseFeedForward> = (
  g,
  m,
  { width, fused, factors },
  { architecture: { style }, project },
) => {
  const [gate, up] = fused ? split(g, project(m, ['gateUp'])[0], 1, [width, width]) : project(m, ['gate', 'up']);
  const gated = (style.activation === 'gelu' ? geGlu : swiGlu)(g, scale(g, gate, factors?.gate ?? 1), up);
  return scale(g, project(gated, ['down'])[0], factors?.output ?? 1);
};
