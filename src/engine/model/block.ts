/**
 * The Transformer block, defined once. LLaMA's is
 *
 *     h = x + o(attend(q(n), k(n), v(n)))    n = RMSNorm(x)
 *     y = h + down(SiLU(gate(m)) ⊙ up(m))    m = RMSNorm(h)
 *
 * Families differ in parts that the shape of a block and the style of a model name: biases, normalised queries and keys,
 * windows, norms on what modules add, factors, caps, another activation, Linears in one matrix. Forward pass, cached decoding
 * and training differ in how a Linear is applied and how positions attend. These differences are passed in as
 * strategies.
 */
import type { Architecture, LayerShape, LinearName, Style } from '../checkpoint/architecture';
import type { Graph, Value } from '../onnx/graph';
import type { AttentionShape } from '../onnx/ops/attention';
import { add, geGlu, scale, swiGlu } from '../onnx/ops/elementwise';
import { rmsNorm } from '../onnx/ops/norm';
import { reshape, split } from '../onnx/ops/shapes';
import type { Step } from './view';

export type NormName = 'inputNorm' | 'attentionOutNorm' | 'postNorm' | 'ffnOutNorm' | 'qNorm' | 'kNorm';

export interface BlockStrategies {
  /** The stored weight vector of a norm. */
  readonly norm: (name: NormName) => Value;
  /** Applies several Linears to one input. (tokens, in) → (tokens, out) each. */
  readonly project: (x: Value, linears: readonly LinearName[]) => Value[];
  /** (tokens, heads · headDim), 2 × (tokens, kvHeads · headDim) → (tokens, heads · headDim) */
  readonly attend: (query: Value, key: Value, value: Value) => Value;
}

/** What the attention of a block is computed with. */
export function attentionShape({ layers, style }: Architecture, index: number): AttentionShape {
  const { heads, kvHeads, headDim, window } = layers[index];
  return { heads, kvHeads, headDim, window, scoreScale: style.scoreScale, scoreCap: style.scoreCap };
}

/** Equal for models whose blocks of one shape compute alike, weights aside. */
export const blockStyleKey = ({ rmsNormEps, style }: Pick<Architecture, 'rmsNormEps' | 'style'>): string => {
  const { norms, normOffset, activation, residualScale, scoreScale, scoreCap } = style;
  return [rmsNormEps, norms, normOffset, activation, residualScale, scoreScale, scoreCap].join(' ');
};

/** x: (tokens, hidden) → (tokens, hidden). `step` names the block and the modules that take part. */
export function block(g: Graph, x: Value, architecture: Architecture, step: Step, strategies: BlockStrategies): Value {
  const { style, rmsNormEps } = architecture;
  const shape = architecture.layers[step.block];
  const norm = (input: Value, name: NormName): Value =>
    rmsNorm(g, input, strategies.norm(name), rmsNormEps, style.normOffset);
  const module = (input: Value, part: Module): Value => {
    const { compute, before, after } = part;
    const normed = style.norms === 'after' ? input : norm(input, before);
    const added = compute(g, normed, { ...strategies, shape, style, norm });
    return add(g, input, scale(g, style.norms === 'before' ? added : norm(added, after), style.residualScale));
  };
  const h = step.attention ? module(x, ATTENTION) : x;
  return step.ffn ? module(h, FFN) : h;
}

/** A module between its norms, which a family has or not. */
interface Module {
  readonly before: NormName;
  readonly after: NormName;
  /** (tokens, hidden) → (tokens, hidden) */
  readonly compute: (g: Graph, x: Value, parts: Parts) => Value;
}

interface Parts extends Omit<BlockStrategies, 'norm'> {
  readonly shape: LayerShape;
  readonly style: Style;
  readonly norm: (input: Value, name: NormName) => Value;
}

const ATTENTION: Module = { before: 'inputNorm', after: 'attentionOutNorm', compute: attention };
const FFN: Module = { before: 'postNorm', after: 'ffnOutNorm', compute: ffn };

/** Self-attention. */
function attention(g: Graph, n: Value, { shape, norm, project, attend }: Parts): Value {
  const { heads, kvHeads, headDim, qkNorm, fused } = shape;
  const [query, key, value] = fused
    ? split(g, project(n, ['qkv'])[0], 1, [heads * headDim, kvHeads * headDim, kvHeads * headDim])
    : project(n, ['q', 'k', 'v']);
  const normed = (t: Value, name: NormName, count: number): Value => {
    if (qkNorm === null) return t;
    if (qkNorm === 'width') return norm(t, name);
    return reshape(g, norm(reshape(g, t, ['tokens', count, headDim]), name), ['tokens', count * headDim]);
  };
  return project(attend(normed(query, 'qNorm', heads), normed(key, 'kNorm', kvHeads), value), ['o'])[0];
}

/** The gated FFN (SwiGLU and GeGLU, Shazeer 2020). */
function ffn(g: Graph, m: Value, { shape, style, project }: Parts): Value {
  const [gate, up] = shape.fused
    ? split(g, project(m, ['gateUp'])[0], 1, [shape.ffn, shape.ffn])
    : project(m, ['gate', 'up']);
  return project((style.activation === 'gelu' ? geGlu : swiGlu)(g, gate, up), ['down'])[0];
}
