/** Mamba-2 (Dao & Gu 2024), as Granite 4 and Falcon-H1 have it. */
import { type MambaMixer, mambaWidths } from '../../checkpoint/kinds/mamba';
import type { Value } from '../../onnx/graph';
import { add, mul, neg, scale, swiGlu } from '../../onnx/ops/elementwise';
import { gatedNorm } from '../../onnx/ops/gated-norm';
import { clamp, exp, silu, softplus } from '../../onnx/ops/gates';
import { concat, reshape, split } from '../../onnx/ops/shapes';
import type { Compute } from '../parts';

/**
 * (z, xBC, Δ) = split of in n; (x, B, C) = split of SiLU(conv(xBC)); Δ = softplus(Δ + t) within its bounds;
 * s ← e^{Δ a} s + B (Δ x)ᵀ with a = −e^A; o = sᵀ C + D x; out(n_w(o ⊙ SiLU(z))), or with the norm before the gate, or without it.
 */
export const mamba: Compute<MambaMixer> = (g, n, shape, { project, weight, flow, architecture }) => {
  const { heads, headDim, groups, stateWidth, kernelBias, steps, norm, factors } = shape;
  const { inner, shared } = mambaWidths(shape);
  const [projected] = project(scale(g, n, factors.input), ['ssmIn']);
  const parts = split(g, projected, 1, [inner, inner, shared, shared, heads]);
  const [z, ...rest] = parts.map((part, i) => scale(g, part, factors.parts[i]));
  const inputs = flow.byRow(concat(g, rest.slice(0, 3), 1));
  const bias = kernelBias ? weight('ssmKernelBias') : undefined;
  const mixed = silu(g, flow.convolve('inputs', inputs, weight('ssmKernel'), bias));
  const [x, keys, queries] = split(g, mixed, 2, [inner, shared, shared]);
  const perHead = (y: Value, count: number, width: number): Value =>
    reshape(g, y, [y.shape[0], y.shape[1], count, width]);
  const time = flow.byRow(clamp(g, softplus(g, add(g, rest[3], weight('ssmTime'))), ...steps)); // (rows, length, heads)
  const values = perHead(x, heads, headDim);
  const read = flow.recur('state', {
    query: perHead(queries, groups, stateWidth),
    key: perHead(keys, groups, stateWidth),
    value: mul(g, values, perHead(time, heads, 1)),
    decay: mul(g, time, neg(g, exp(g, weight('ssmLog')))),
  });
  const output = add(g, read, mul(g, values, reshape(g, weight('ssmSkip'), [heads, 1])));
  const flat = reshape(g, output, [n.shape[0], inner]);
  const epsilon = architecture.rmsNormEps;
  const gated =
    norm === null
      ? swiGlu(g, z, flat)
      : gatedNorm(g, flat, z, { weight: weight('ssmNorm'), epsilon, groups, gateAfter: norm === 'beforeGate' });
  return project(gated, ['ssmOut'])[0];
};
