/**
 * The Transformer block of the LLaMA family, defined once:
 *
 *     h = x + o(attend(q(n), k(n), v(n)))    n = RMSNorm(x)
 *     y = h + down(SiLU(gate(m)) ⊙ up(m))    m = RMSNorm(h)
 *
 * with the optional parts of its families: biases, normalised queries and keys, windows. Forward pass, cached decoding
 * and training differ in how a Linear is applied and how positions attend. These differences are passed in as
 * strategies.
 */
import type { Architecture, LinearName } from '../checkpoint/architecture';
import type { Graph, Value } from '../onnx/graph';
import { add, swiGlu } from '../onnx/ops/elementwise';
import { rmsNorm } from '../onnx/ops/norm';
import { reshape } from '../onnx/ops/shapes';
import type { Step } from './view';

export type NormName = 'inputNorm' | 'postNorm' | 'qNorm' | 'kNorm';

export interface BlockStrategies {
  /** The weight vector of a norm. */
  readonly norm: (name: NormName) => Value;
  /** Applies several Linears to one input. (tokens, in) → (tokens, out) each. */
  readonly project: (x: Value, linears: readonly LinearName[]) => Value[];
  /** (tokens, heads · headDim), 2 × (tokens, kvHeads · headDim) → (tokens, heads · headDim) */
  readonly attend: (query: Value, key: Value, value: Value) => Value;
}

/** x: (tokens, hidden) → (tokens, hidden). `step` names the block and the modules that take part. */
export function block(g: Graph, x: Value, architecture: Architecture, step: Step, strategies: BlockStrategies): Value {
  const h = step.attention ? add(g, x, attention(g, x, architecture, step.block, strategies)) : x;
  return step.ffn ? add(g, h, ffn(g, h, architecture, strategies)) : h;
}

/** Self-attention with its norm. (tokens, hidden) → (tokens, hidden) */
function attention(
  g: Graph,
  x: Value,
  { layers, rmsNormEps }: Architecture,
  index: number,
  { norm, project, attend }: BlockStrategies,
): Value {
  const { heads, kvHeads, headDim, qkNorm } = layers[index];
  const n = rmsNorm(g, x, norm('inputNorm'), rmsNormEps);
  const [query, key, value] = project(n, ['q', 'k', 'v']);
  const perHead = (t: Value, name: NormName, count: number): Value => {
    const split = reshape(g, t, ['tokens', count, headDim]);
    return reshape(g, rmsNorm(g, split, norm(name), rmsNormEps), ['tokens', count * headDim]);
  };
  const q = qkNorm ? perHead(query, 'qNorm', heads) : query;
  const k = qkNorm ? perHead(key, 'kNorm', kvHeads) : key;
  return project(attend(q, k, value), ['o'])[0];
}

/** The gated FFN (SwiGLU, Shazeer 2020) with its norm. (tokens, hidden) → (tokens, hidden) */
function ffn(g: Graph, x: Value, { rmsNormEps }: Architecture, { norm, project }: BlockStrategies): Value {
  const m = rmsNorm(g, x, norm('postNorm'), rmsNormEps);
  const [gate, up] = project(m, ['gate', 'up']);
  return project(swiGlu(g, gate, up), ['down'])[0];
}
