/**
 * A model with a LoRA adapter that is not merged (Hu et al. 2021; spec §1.11): y = W x + B A x, where B carries the
 * factor α/r. W stays in its file; A and B are small enough to be brought into the graph beside it.
 *
 * Linears that read the same input share one product for their stacked A: thin products are where time is lost.
 */
import type { Graph, Value } from '../onnx/graph';
import { linear } from '../onnx/ops/linear';
import { split } from '../onnx/ops/shapes';
import type { LinearName } from '../checkpoint/architecture';

/** What is added to one Linear: B A, the factor α/r inside B. */
export interface LowRank {
  readonly rank: number;
  /** (rank, in) */
  readonly a: Float32Array;
  /** (out, rank) */
  readonly b: Float32Array;
}

/** The additions to a block's Linears; those that it does not name stay as they are. */
export type BlockAdapter = Readonly<Partial<Record<LinearName, LowRank>>>;

/** The additions to a model, ready to be built into its graphs. */
export interface AppliedAdapter {
  /** Those of block `block` of the checkpoint that the model is opened on. */
  readonly block: (block: number) => BlockAdapter;
  /** Bytes of all matrices. */
  readonly bytes: number;
}

/** A matrix of the adapter and its shape. */
export interface Matrix {
  readonly data: Float32Array;
  readonly shape: readonly [number, number];
}

/** Brings a matrix of the adapter into a graph. `key` names it within the block. */
export type BindMatrix = (key: string, data: Float32Array, shape: readonly [number, number]) => Value;

/** Binds matrices as constants of the graph. */
export function constantMatrices(g: Graph): BindMatrix {
  return (_key, data, shape) => g.floats(data, shape);
}

/** Binds matrices as inputs named by their keys, and keeps those that the graph came to want. */
export function inputMatrices(g: Graph): { bindMatrix: BindMatrix; wantedMatrices: Map<string, Matrix> } {
  const wantedMatrices = new Map<string, Matrix>();
  const bindMatrix: BindMatrix = (key, data, shape) => {
    wantedMatrices.set(key, { data, shape });
    return g.input(key, 'float32', shape);
  };
  return { bindMatrix, wantedMatrices };
}

/** Makes matrices outputs of a graph that does nothing else, for inputs bound by `inputMatrices`. @returns their names */
export function fetchMatrices(g: Graph, wanted: ReadonlyMap<string, Matrix>): string[] {
  for (const [key, { data, shape }] of wanted) g.output(key, g.floats(data, shape));
  return [...wanted.keys()];
}

/** Every Linear applied as it is stored, and what the adapter adds to it. */
export function adaptedProject(
  g: Graph,
  weight: (key: LinearName | `${LinearName}Bias`) => Value | undefined,
  adapter: BlockAdapter,
  bindMatrix: BindMatrix,
) {
  return (x: Value, linears: readonly LinearName[]): Value[] => {
    const width = x.shape[1] as number;
    const adapted = linears.flatMap((name) => adapter[name] ?? []);
    const inner = adapted.length > 0 ? shared(g, x, linears, adapted, width, bindMatrix) : []; // (tokens, rank) each
    return linears.map((name) => {
      const base = linear(g, x, weight(name)!, weight(`${name}Bias`)); // (tokens, out)
      const added = adapter[name];
      if (!added) return base;
      const b = bindMatrix(`${name}.B`, added.b, [added.b.length / added.rank, added.rank]);
      return linear(g, inner[adapted.indexOf(added)], b, base);
    });
  };
}

/** A x for every adapted Linear, from one product. x: (tokens, in) → (tokens, rank) each */
function shared(
  g: Graph,
  x: Value,
  linears: readonly LinearName[],
  adapted: readonly LowRank[],
  width: number,
  bindMatrix: BindMatrix,
): Value[] {
  const ranks = adapted.map(({ rank }) => rank);
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const stacked = new Float32Array(total * width);
  let row = 0;
  for (const { a, rank } of adapted) {
    stacked.set(a, row * width);
    row += rank;
  }
  return split(g, linear(g, x, bindMatrix(`${linears.join('')}.A`, stacked, [total, width])), 1, ranks);
}
