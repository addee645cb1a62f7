/** The gated delta net (Yang et al. 2025), as Qwen3.5 has it. */
import type { DeltaNetMixer } from '../../checkpoint/kinds/delta-net';
import type { Value } from '../../onnx/graph';
import { add, mul, neg } from '../../onnx/ops/elementwise';
import { gatedNorm, unitNorm } from '../../onnx/ops/gated-norm';
import { exp, sigmoid, silu, softplus } from '../../onnx/ops/gates';
import { reshape, split } from '../../onnx/ops/shapes';
import type { Compute } from '../parts';

/** Under the root of the norm of keys and queries, whatever the model's other norms have. */
const UNIT_EPS = 1e-6;

/**
 * (q, k, v) = split of SiLU(conv(qkv n)), q and k of length 1 a head; β = σ(beta n), g = −e^A softplus(decay n + t);
 * out(n_w(o) ⊙ SiLU(gate n)), the norm head by head.
 */
export const deltaNet: Compute<DeltaNetMixer> = (g, n, shape, { project, weight, flow, architecture }) => {
  const { keyHeads, heads, keyWidth, valueWidth } = shape;
  const [qkv, gate, beta, decay] = project(n, ['deltaQkv', 'deltaGate', 'deltaBeta', 'deltaDecay']);
  const mixed = silu(g, flow.convolve('inputs', flow.byRow(qkv), weight('deltaKernel'), undefined));
  const keys = keyHeads * keyWidth;
  const [q, k, v] = split(g, mixed, 2, [keys, keys, heads * valueWidth]);
  const perHead = (x: Value, count: number, width: number): Value =>
    reshape(g, x, [x.shape[0], x.shape[1], count, width]);
  const unit = (x: Value, factor: number): Value => unitNorm(g, perHead(x, keyHeads, keyWidth), UNIT_EPS, factor);
  const step = softplus(g, add(g, decay, weight('deltaTime')));
  const output = flow.recur('state', {
    query: unit(q, keyWidth ** -0.5),
    key: unit(k, 1),
    value: perHead(v, heads, valueWidth),
    decay: flow.byRow(mul(g, step, neg(g, exp(g, weight('deltaLog'))))),
    beta: flow.byRow(sigmoid(g, beta)),
  });
  const byHead = (x: Value): Value => reshape(g, x, [n.shape[0], heads, valueWidth]);
  const norm = { weight: weight('deltaNorm'), epsilon: architecture.rmsNormEps, groups: 1, gateAfter: true };
  const normed = gatedNorm(g, byHead(output), byHead(gate), norm);
  return project(reshape(g, normed, [n.shape[0], heads * valueWidth]), ['deltaOut'])[0];
};
