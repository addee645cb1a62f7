/**
 * A block's forward and backward pass in one graph, differentiated from the common definition of the block.
 *
 * The graph runs as a whole (the backward pass computes the forward pass again, with the least memory) or in two
 * halves: the forward half returns the values that the backward half needs.
 */
import type { Architecture } from '../checkpoint/architecture';
import { attentionIn, carriedBy } from '../checkpoint/kinds/parts';
import type { Dim, Value } from '../onnx/graph';
import { Graph } from '../onnx/graph';
import type { GraphFile } from '../onnx/model-file';
import { gradients } from '../onnx/gradient';
import { plainAttention } from '../onnx/ops/attention';
import { attentionShape, block } from './block';
import { flowFromStart, noFlow } from './flow';
import { rotaryInputs } from './forward-graph';
import type { BlockStrategies } from './parts';
import type { Step } from './view';

/** The trained or measured parameters of a block: their names in the graph, and their use in Linears and norms. */
export interface BlockParameters extends Pick<BlockStrategies, 'weight' | 'project'> {
  /** Called after the block is built. Returns every value whose gradient is wanted, by name. */
  readonly wanted: () => ReadonlyMap<string, Value>;
}

/** A value that the forward half saves for the backward half. */
export interface Saved {
  readonly name: string;
  readonly shape: readonly Dim[];
}

export interface TrainingGraphs {
  /** Feeds x, mask, cos, sin, parameters; fetches y and everything `saved`. */
  readonly forward: () => GraphFile;
  /** The same without saved values. */
  readonly forwardOnly: () => GraphFile;
  /** Feeds x, dy, mask, cos, sin, parameters and everything `saved`; fetches dx and the gradients. */
  readonly backward: () => GraphFile;
  /** Feeds x, dy, mask, cos, sin, parameters; fetches dx and the gradients. */
  readonly recomputing: () => GraphFile;
  readonly saved: readonly Saved[];
  /** Names of the parameters; the fetch of each one's gradient is `gradientName(name)`. */
  readonly parameters: readonly string[];
}

/**
 * Ops whose results are kept for the backward pass: Linears, in float32 and in integers, because they take nearly all of the
 * work. Values between them are computed again (selective recomputation, Korthikanti et al. 2022).
 */
const EXPENSIVE = new Set(['Gemm', 'MatMulIntegerToFloat']);

export function gradientName(parameter: string): string {
  return `d:${parameter}`;
}

/**
 * @param declare declares the trained parameters in the graph
 * @param reduce converts each gradient into the fetched value; the gradient itself when omitted
 */
export function buildTraining(
  architecture: Architecture,
  step: Step,
  declare: (g: Graph) => BlockParameters,
  reduce: (g: Graph, name: string, parameter: Value, gradient: Value) => Value = (_g, _name, _parameter, d) => d,
): TrainingGraphs {
  const g = new Graph();
  const x = g.input('x', 'float32', ['tokens', architecture.hidden]);
  const { weight, project, wanted } = declare(g);
  const y = block(g, x, architecture, step, { weight, project, ...tokensOf(g, architecture, step) });
  const dy = g.input('dy', 'float32', ['tokens', architecture.hidden]);
  const parameters = [...wanted()];
  const [dx, ...found] = gradients(g, new Map([[y, dy]]), [x, ...parameters.map(([, value]) => value)]);
  const results = parameters.map(([name, value], i) => {
    return { name: gradientName(name), value: reduce(g, name, value, found[i]) };
  });
  const outputs = [{ name: 'dx', value: dx }, ...results];
  const saved = g.cut(x, dy, EXPENSIVE);
  return {
    forwardOnly: () => g.extract([{ name: 'y', value: y }]),
    forward: () => g.extract([{ name: 'y', value: y }, ...saved.map((value) => ({ name: value.name, value }))]),
    backward: () => g.extract(outputs, saved),
    recomputing: () => g.extract(outputs),
    saved,
    parameters: parameters.map(([name]) => name),
  };
}

/** How the tokens of a step's rows see each other. */
function tokensOf(g: Graph, architecture: Architecture, step: Step): Pick<BlockStrategies, 'attend' | 'flow'> {
  if (!step.attention) return { attend: unreachable, flow: noFlow };
  const layer = architecture.layers[step.block];
  const attends = attentionIn(layer) !== undefined;
  if (!attends) g.input('mask', 'float32', ['length', 'length']); // says how long the rows are
  return {
    attend: attends ? attention(g, architecture, step.block) : unreachable,
    flow: carriedBy(layer) ? flowFromStart(g, 'chunks') : noFlow,
  };
}

function attention(g: Graph, a: Architecture, index: number): BlockStrategies['attend'] {
  const layer = attentionShape(a, index);
  const rotary = rotaryInputs(g, a.layers[index]);
  const mask = g.input('mask', 'float32', ['length', 'length']);
  return (q, k, v, sinks) => plainAttention(g, [q, k, v], { ...layer, sinks }, rotary, { mask, trained: true });
}

function unreachable(): never {
  throw new Error('a step without attention does not attend');
}
