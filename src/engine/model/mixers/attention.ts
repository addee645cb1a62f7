/** Self-attention. How positions attend is a strategy: see block.ts. */
import type { AttentionMixer } from '../../checkpoint/kinds/attention';
import type { Value } from '../../onnx/graph';
import { clamp, mul } from '../../onnx/ops/elementwise';
import { sigmoid } from '../../onnx/ops/gates';
import { reshape, split } from '../../onnx/ops/shapes';
import type { Compute } from '../parts';

export const attention: Compute<AttentionMixer> = (g, n, shape, { norm, project, attend, weight }) => {
  const { heads, kvHeads, headDim, qkNorm, clip, gated, fused } = shape;
  const [first, key, value] = fused
    ? split(g, project(n, ['qkv'])[0], 1, [heads * headDim, kvHeads * headDim, kvHeads * headDim])
    : project(n, ['q', 'k', 'v']);
  const flat = (t: Value): Value => reshape(g, t, ['tokens', heads * headDim]);
  // Of each head, its query and then its gate.
  const [query, gate] = gated
    ? split(g, reshape(g, first, ['tokens', heads, 2 * headDim]), 2, [headDim, headDim]).map(flat)
    : [first];
  const normed = (t: Value, name: 'qNorm' | 'kNorm', count: number): Value => {
    if (qkNorm === null) return t;
    if (qkNorm === 'width') return norm(t, name);
    return reshape(g, norm(reshape(g, t, ['tokens', count, headDim]), name), ['tokens', count * headDim]);
  };
  const bounded = (t: Value): Value => (clip === undefined ? t : clamp(g, t, clip));
  const attended = attend(
    bounded(normed(query, 'qNorm', heads)),
    bounded(normed(key, 'kNorm', kvHeads)),
    bounded(value),
    shape.sinks && weight('sinks'),
  );
  return project(gated ? mul(g, attended, sigmoid(g, gate)) : attended, ['o'])[0];
};
