/**
 * A mixture of experts in one graph. Decoding and gradients let every expert compute every token, and the weights of those that a token
 * did not choose are 0. Exported graphs pick an expert's tokens; forward passes do so between sessions (expert-step.ts).
 */
import { expertLinear, type ExpertsFeedForward } from '../../checkpoint/kinds/experts';
import type { Graph, Value } from '../../onnx/graph';
import { add, atMost, clamp, mul, sharpSilu, swiGlu } from '../../onnx/ops/elementwise';
import { linear } from '../../onnx/ops/linear';
import { chosenMask } from '../../onnx/ops/largest-columns';
import { softmax } from '../../onnx/ops/softmax';
import { addToRows, rowsThatHave, zerosLike } from '../../onnx/ops/picked';
import { split, takeRows } from '../../onnx/ops/shapes';
import type { Compute, Parts } from '../parts';
import { dense } from './dense';

/**
 * What each expert's result is multiplied by, 0 for those that the token did not choose. m: (tokens, hidden) → (tokens,
 * experts), float32. Of equal ones the expert with the lower number is chosen. The choice itself has no gradient.
 */
export function routed(
  g: Graph,
  m: Value,
  { chosen, weighs, biased }: ExpertsFeedForward,
  { weight }: Pick<Parts, 'weight'>,
): Value {
  const scores = linear(g, m, weight('router'), biased && weight('routerBias'));
  const mask = chosenMask(g, scores, chosen);
  const shares = softmax(g, weighs === 'all' ? scores : add(g, scores, mask.below));
  return mul(g, shares, mask.chosen);
}

/** down(SiLU(gate(m)) ⊙ up(m)) of one expert, or down of gpt-oss's form. */
export function expert(
  g: Graph,
  m: Value,
  index: number,
  { form }: ExpertsFeedForward,
  { project }: Pick<Parts, 'project'>,
): Value {
  const [gate, up] = project(m, [expertLinear(index, 'gate'), expertLinear(index, 'up')]);
  const inner = (form === 'clamped' ? clampedGlu : swiGlu)(g, gate, up);
  return project(inner, [expertLinear(index, 'down')])[0];
}

/** Of gpt-oss: the bound of the gate, and of the other half, and the steepness of SiLU. */
const BOUND = 7;
const STEEPNESS = 1.702;

/** (u + 1) ⊙ a σ(1.702 a) with a = min(gate, 7) and u = up within ±7. */
const clampedGlu = (g: Graph, gate: Value, up: Value): Value =>
  mul(g, add(g, clamp(g, up, BOUND), g.scalar(1)), sharpSilu(g, atMost(g, gate, BOUND), STEEPNESS));

export const experts: Compute<ExpertsFeedForward> = (g, m, shape, parts) => {
  const weights = split(g, routed(g, m, shape, parts), 1, Array<number>(shape.count).fill(1)); // (tokens, 1) each
  const sum = (parts.picksTokens ? ofPicked : ofAll)(g, m, weights, (x, index) => expert(g, x, index, shape, parts));
  return shape.shared ? add(g, sum, dense(g, m, shape.shared, parts)) : sum;
};

type Sum = (g: Graph, m: Value, weights: readonly Value[], compute: (x: Value, index: number) => Value) => Value;

const ofAll: Sum = (g, m, weights, compute) =>
  weights.map((weight, index) => mul(g, compute(m, index), weight)).reduce((so, each) => add(g, so, each));

/** An expert without tokens gets no rows. */
const ofPicked: Sum = (g, m, weights, compute) =>
  weights.reduce(
    (so, weight, index) => {
      const places = rowsThatHave(g, weight, `tokens of ${weight.name}`);
      const results = mul(g, compute(takeRows(g, m, places), index), takeRows(g, weight, places));
      return addToRows(g, so, places, results);
    },
    zerosLike(g, m),
  );
