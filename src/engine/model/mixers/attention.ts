/** Self-attention. How positions attend is a strategy: see block.ts. */
import type { AttentionMixer } from '../../checkpoint/kinds/attention';
import type { Value } from '../../onnx/graph';
import { clamp } from '../../onnx/ops/elementwise';
import { reshape, split } from '../../onnx/ops/shapes';
import type { Compute } from '../parts';

export const attention: Compute<AttentionMixer> = (g, n, shape, { norm, project, attend, weight }) => {
  const { heads, kvHeads, headDim, qkNorm, clip, fused } = shape;
  const [query, key, value] = fused
    ? split(g, project(n, ['qkv'])[0], 1, [heads * headDim, kvHeads * headDim, kvHeads * headDim])
    : project(n, ['q', 'k', 'v']);
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
  return project(attended, ['o'])[0];
};
