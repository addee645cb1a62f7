/**
 * How a graph gets its weights: brought in by the model's source (the CPU, where they stay in their files), or fed (a GPU,
 * where one compiled session then serves every block of a shape; training, which changes what it feeds).
 */
import type { Architecture } from '../checkpoint/architecture';
import { type BlockWeightName, type WeightKey, weightOf } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import type { LowRank, WeightSource } from '../weights/source';

/** Brings a weight into a graph, as float32. */
export type Bind = (key: WeightKey) => Value;

/** What the graphs of forward passes and of decoding are built over. */
export interface Binding {
  /** A weight, without what `added` says is added to it. */
  readonly weight: Bind;
  /** What is added to a Linear as a product of low rank: computed beside the Linear, from two thin matrices. */
  readonly added: (key: WeightKey) => LowRank | undefined;
  /** Brings a matrix of such a product into the graph. `name` is unique within a block. */
  readonly matrix: (name: string, data: Float32Array, shape: readonly [number, number]) => Value;
}

/** Weights as the source has them: initializers in files, constants for what a patch brings. */
export function sourceBinding(g: Graph, source: WeightSource): Binding {
  return {
    weight: (key) => baseOf(source, key).bind(g, key),
    added: (key) => source.lowRank?.(key)?.product,
    matrix: (_name, data, shape) => g.floats(data, shape),
  };
}

/** Weights and matrices as inputs, named within the block. */
export interface FedBinding extends Binding {
  /** Names the inputs of low-rank products with their shapes: equal for graphs that are equal in these. */
  readonly matrices: () => string;
  /** Makes every input that the graph came to want an output of `loader`, a graph that does nothing else. @returns their names */
  readonly fetch: (loader: Graph) => string[];
}

/** Weights as inputs, and the graph that fetches them from the source. */
export function fedBinding(g: Graph, source: WeightSource): FedBinding {
  const weights = new Map<string, WeightKey>();
  const matrices = new Map<string, { data: Float32Array; shape: readonly [number, number] }>();
  return {
    weight: (key) => {
      weights.set(inputName(key), key);
      return g.input(inputName(key), 'float32', source.shape(key));
    },
    added: (key) => source.lowRank?.(key)?.product,
    matrix: (name, data, shape) => {
      matrices.set(name, { data, shape });
      return g.input(name, 'float32', shape);
    },
    matrices: () => [...matrices].map(([name, { shape }]) => `${name} ${shape.join('x')}`).join(' '),
    fetch: (loader) => {
      for (const [name, key] of weights) loader.output(name, baseOf(source, key).bind(loader, key));
      for (const [name, { data, shape }] of matrices) loader.output(name, loader.floats(data, shape));
      return [...weights.keys(), ...matrices.keys()];
    },
  };
}

/** Where a weight is without what is added to it. */
function baseOf(source: WeightSource, key: WeightKey): WeightSource {
  return source.lowRank?.(key)?.base ?? source;
}

/** The weights of a model as the source has them, whatever is added to them: for graphs that are differentiated. */
export function bindFrom(g: Graph, source: WeightSource): Bind {
  return (key) => source.bind(g, key);
}

/** The weights of a model as inputs, named within the block: for weights that are trained. */
export function bindInputs(g: Graph, architecture: Architecture): Bind {
  return (key) => g.input(inputName(key), 'float32', weightOf(architecture, key)!.shape);
}

/** "q" or "embed": what a graph of one block calls a weight that it is fed. */
export function inputName(key: WeightKey): string {
  return typeof key === 'string' ? key : key.name;
}

/** Brings a block's weights into a graph by name, each once; undefined for those that the block lacks. */
export function blockBinder(
  architecture: Architecture,
  layer: number,
  bind: Bind,
): (name: BlockWeightName) => Value | undefined {
  const bound = new Map<BlockWeightName, Value>();
  return (name) => {
    const key = { layer, name };
    if (!weightOf(architecture, key)) return undefined;
    let value = bound.get(name);
    if (!value) bound.set(name, (value = bind(key)));
    return value;
  };
}
