/**
 * How a graph gets its weights. On the CPU, the model's source binds them, and they stay in their files. On a GPU, they
 * are fed, so that one compiled session serves every block of a shape. Training feeds them too, because it changes
 * them.
 */
import type { Architecture } from '../checkpoint/architecture';
import { type BlockWeightName, type WeightKey, weightOf } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import { linear } from '../onnx/ops/linear';
import {
  type AppliedLinear,
  applyLinears,
  baseOf,
  type FedProducts,
  type LowRank,
  type WeightSource,
} from '../weights/source';

/** Brings a weight into a graph, as float32. */
export type Bind = (key: WeightKey) => Value;

/** The weights that graphs of forward passes and decoding are built with. */
export interface Binding {
  /** Applies Linears to one input, without the products that `added` adds to them. */
  readonly apply: (x: Value, linears: readonly AppliedLinear[]) => readonly Value[];
  /** What attention multiplies queries, keys and values in. */
  readonly products: 'float32' | 'float16';
  /** A weight, without the product that `added` adds to it. */
  readonly weight: Bind;
  /** A product of low rank that is added to a Linear. It is computed beside the Linear, from two thin matrices. */
  readonly added: (key: WeightKey) => LowRank | undefined;
  /** The matrices of such a product as values of the graph, A (rank, in) and B (out, rank); absent if there are none. */
  readonly fed?: (key: WeightKey) => { readonly a: Value; readonly b: Value } | undefined;
  /** Brings a matrix of such a product into the graph. `name` is unique within a block. */
  readonly matrix: (name: string, data: Float32Array, shape: readonly [number, number]) => Value;
}

/** Weights from the source: initializers in files, and constants for patches. */
export function sourceBinding(g: Graph, source: WeightSource): Binding {
  return {
    weight: (key) => baseOf(source, key).bind(g, key),
    apply: (x, linears) => byBase(source, linears, (base, some) => applyLinears(g, base, x, some)),
    products: productsOf(source),
    added: (key) => source.lowRank?.(key)?.product,
    matrix: (_name, data, shape) => g.floats(data, shape),
  };
}

/** Weights and matrices as inputs, named within the block. */
export interface FedBinding extends Binding {
  /** Names the inputs of low-rank products with their shapes; equal for graphs with the same products. */
  readonly matrices: () => string;
  /**
   * Makes every input that the graph uses an output of `loader`, a graph that does nothing else. @returns their names
   */
  readonly fetch: (loader: Graph) => string[];
}

/** Weights as inputs, and the graph that fetches them from the source. */
export function fedBinding(g: Graph, source: WeightSource): FedBinding {
  const loads = new Map<string, (loader: Graph) => Value>();
  const matrices = new Map<string, { data: Float32Array; shape: readonly [number, number] }>();
  const weight: Bind = (key) => {
    loads.set(inputName(key), (loader) => baseOf(source, key).bind(loader, key));
    return g.input(inputName(key), 'float32', source.shape(key));
  };
  const product = (key: WeightKey, fed: FedProducts): Value => {
    loads.set(inputName(key), (loader) => fed.bind(loader, key));
    return g.input(inputName(key), fed.type, source.shape(key));
  };
  const applyFed = (base: WeightSource, x: Value, linears: readonly AppliedLinear[]): readonly Value[] => {
    const { fed } = base;
    if (!fed) return linears.map(({ key, bias }) => linear(g, x, weight(key), bias));
    return fed.apply(
      g,
      x,
      linears.map(({ key, bias }) => ({ weight: product(key, fed), bias })),
    );
  };
  return {
    weight,
    apply: (x, linears) => byBase(source, linears, (base, some) => applyFed(base, x, some)),
    products: productsOf(source),
    added: (key) => source.lowRank?.(key)?.product,
    matrix: (name, data, shape) => {
      matrices.set(name, { data, shape });
      return g.input(name, 'float32', shape);
    },
    matrices: () => [...matrices].map(([name, { shape }]) => `${name} ${shape.join('x')}`).join(' '),
    fetch: (loader) => {
      for (const [name, load] of loads) loader.output(name, load(loader));
      for (const [name, { data, shape }] of matrices) loader.output(name, loader.floats(data, shape));
      return [...loads.keys(), ...matrices.keys()];
    },
  };
}

/** Linears that share an input share work on it if they have one source. */
function byBase(
  source: WeightSource,
  linears: readonly AppliedLinear[],
  apply: (base: WeightSource, linears: readonly AppliedLinear[]) => readonly Value[],
): readonly Value[] {
  const bases = linears.map(({ key }) => baseOf(source, key));
  if (bases.every((base) => base === bases[0])) return apply(bases[0], linears);
  return linears.flatMap((one, i) => apply(bases[i], [one]));
}

const productsOf = ({ precision }: WeightSource): Binding['products'] =>
  precision === 'float16' ? 'float16' : 'float32';

/** The weights of a model including all additions, for graphs that are differentiated. */
export function bindFrom(g: Graph, source: WeightSource): Bind {
  return (key) => source.bind(g, key);
}

/** The weights of a model as inputs, named within the block, for training. */
export function bindInputs(g: Graph, architecture: Architecture): Bind {
  return (key) => g.input(inputName(key), 'float32', weightOf(architecture, key)!.shape);
}

/** The name of a fed weight in the graph of one block: "q" or "embed". */
export function inputName(key: WeightKey): string {
  return typeof key === 'string' ? key : key.name;
}

/** Brings a block's weights into a graph by name, each once; undefined for weights that the block lacks. */
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
