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
import type { Architecture } from '../checkpoint/architecture';
import { attentionOf } from '../checkpoint/kinds/parts';
import type { BlockWeightName, StreamNorm } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import type { AttentionShape } from '../onnx/ops/attention';
import { add, scale } from '../onnx/ops/elementwise';
import { rmsNorm } from '../onnx/ops/norm';
import { feedForward } from './feed-forwards';
import { mix } from './mixers';
import type { BlockStrategies, Parts } from './parts';
import type { Step } from './view';

/** What the attention of a block is computed with. @throws UserError for a block with another mixer */
export function attentionShape({ layers, style }: Architecture, index: number): AttentionShape {
  const { heads, kvHeads, headDim, window } = attentionOf(layers[index]);
  return { heads, kvHeads, headDim, window, scoreScale: style.scoreScale, scoreCap: style.scoreCap };
}

/** Equal for models whose blocks of one shape compute alike, weights aside. */
export const blockStyleKey = ({ rmsNormEps, style }: Pick<Architecture, 'rmsNormEps' | 'style'>): string => {
  const { norms, normOffset, activation, residualScale, scoreScale, scoreCap } = style;
  return [rmsNormEps, norms, normOffset, activation, residualScale, scoreScale, scoreCap].join(' ');
};

/** x: (tokens, hidden) → (tokens, hidden). `step` names the block and the modules that take part. */
export function block(g: Graph, x: Value, architecture: Architecture, step: Step, strategies: BlockStrategies): Value {
  const { style } = architecture;
  const { mixer, ffn } = architecture.layers[step.block];
  const norm: Parts['norm'] = (input, name) => blockNorm(g, input, architecture, name, strategies);
  const parts: Parts = { ...strategies, architecture, norm };
  /** A module between its norms, which a family has or not. */
  const module = (input: Value, compute: (x: Value) => Value, before: StreamNorm, after: StreamNorm): Value => {
    const added = compute(style.norms === 'after' ? input : norm(input, before));
    return add(g, input, scale(g, style.norms === 'before' ? added : norm(added, after), style.residualScale));
  };
  const mixed = (n: Value): Value => mix(g, n, mixer, parts);
  const fed = (m: Value): Value => feedForward(g, m, ffn, parts);
  const h = step.attention ? module(x, mixed, 'inputNorm', 'attentionOutNorm') : x;
  return step.ffn ? module(h, fed, 'postNorm', 'ffnOutNorm') : h;
}

/** RMSNorm of a block by one of its stored weights, in the style of the model. */
export const blockNorm = (
  g: Graph,
  x: Value,
  { style, rmsNormEps }: Pick<Architecture, 'style' | 'rmsNormEps'>,
  name: BlockWeightName,
  { weight }: Pick<BlockStrategies, 'weight'>,
): Value => rmsNorm(g, x, weight(name), rmsNormEps, style.normOffset);
