/**
 * A block's forward and backward pass in one graph, differentiated from the one definition of the block.
 *
 * The graph can be run whole (the forward pass is computed again inside the backward one: least memory), or cut in two:
 * a forward half that hands out what the backward half will need.
 */
import type { Architecture } from '../checkpoint/architecture';
import type { Dim, Value } from '../onnx/graph';
import { Graph, type GraphFile } from '../onnx/graph';
import { gradients } from '../onnx/gradient';
import { plainAttention } from '../onnx/ops/attention';
import { block, type BlockStrategies } from './block';
import { rotaryInputs } from './forward-graph';
import type { Step } from './view';

/** What is trained in a block, or merely measured: names of its parameters in the graph, and how Linears and norms use them. */
export interface BlockParameters extends Pick<BlockStrategies, 'norm' | 'project'> {
  /** Called once the block is built: every value whose gradient is wanted, by name. */
  readonly wanted: () => ReadonlyMap<string, Value>;
}

/** A value that the forward half leaves for the backward half. */
export interface Saved {
  readonly name: string;
  readonly shape: readonly Dim[];
}

export interface TrainingGraphs {
  /** Feeds x, mask, cos, sin, parameters; fetches y and everything `saved`. */
  readonly forward: () => GraphFile;
  /** The same without what is saved. */
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
 * Ops whose results are kept for the backward pass: Linears, which nearly all the work is in. What lies between is computed again
 * (selective recomputation, Korthikanti et al. 2022).
 */
const EXPENSIVE = new Set(['Gemm']);

export function gradientName(parameter: string): string {
  return `d:${parameter}`;
}

/**
 * @param declare given the graph, declares what is trained
 * @param reduce turns each gradient into what is fetched instead of it; the gradient itself when omitted
 */
export function buildTraining(
  architecture: Architecture,
  step: Step,
  declare: (g: Graph) => BlockParameters,
  reduce: (g: Graph, name: string, parameter: Value, gradient: Value) => Value = (_g, _name, _parameter, d) => d,
): TrainingGraphs {
  const g = new Graph();
  const x = g.input('x', 'float32', ['tokens', architecture.hidden]);
  const { norm, project, wanted } = declare(g);
  const attend = step.attention ? attention(g, architecture, step.block) : unreachable;
  const y = block(g, x, architecture, step, { norm, project, attend });
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

function attention(g: Graph, a: Architecture, index: number): BlockStrategies['attend'] {
  const layer = a.layers[index];
  const rotary = rotaryInputs(g, layer);
  const mask = g.input('mask', 'float32', ['length', 'length']);
  return (...qkv) => plainAttention(g, qkv, layer, rotary, mask);
}

function unreachable(): never {
  throw new Error('a step without attention does not attend');
}
