/**
 * LoRA (Hu et al. 2021; spec §1.11) inside a block: y = W x + (α/r) B A drop(x), with W frozen.
 *
 * Linears that read the same input (q, k, v; gate, up) share their products: one for their stacked W, one for their
 * stacked A, and one for their B, laid out block-diagonally, that adds onto the first. Thin products are where a CPU
 * loses its time.
 */
import type { Architecture } from '../checkpoint/architecture';
import { blockWeights, type Weight } from '../checkpoint/weights';
import type { Graph, Value } from '../onnx/graph';
import { mul, scale } from '../onnx/ops/elementwise';
import { linear } from '../onnx/ops/linear';
import { concat, split } from '../onnx/ops/shapes';
import { blockWeightBinder } from '../transformer/forward-graph';
import type { LinearName } from '../transformer/block';
import type { Bind } from '../transformer/graph-weights';
import type { Trainables } from '../transformer/training-graph';

export interface LoraShape {
  readonly rank: number;
  readonly alpha: number;
  /** The Linears that get an adapter. */
  readonly targets: readonly LinearName[];
  /** A mask of the adapters' input is fed. */
  readonly dropout: boolean;
}

/** Name of an adapter's matrix among a block's feeds. A: (rank, in), B: (out, rank). */
export function adapterName(linearName: LinearName, matrix: 'A' | 'B'): string {
  return `${linearName}.${matrix}`;
}

/** Name of the mask over the input that `linears` share, (tokens, in): 0, or 1 / (1 − p). */
export function dropoutName(linears: readonly LinearName[]): string {
  return `dropout.${linears.join('')}`;
}

/** Linears by the input that they share. */
export const LINEAR_GROUPS: readonly (readonly LinearName[])[] = [['q', 'k', 'v'], ['o'], ['gate', 'up'], ['down']];

export function loraTrainables(
  g: Graph,
  architecture: Architecture,
  index: number,
  bind: Bind,
  { rank, alpha, targets, dropout }: LoraShape,
): Trainables {
  const weight = blockWeightBinder(architecture, index, bind);
  const shapes = blockWeights(architecture, index);
  const adapters = new Map<string, Value>();
  const adapter = (name: LinearName, matrix: 'A' | 'B'): Value => {
    const [out, input] = shapes[name].shape;
    const key = adapterName(name, matrix);
    const value = g.input(key, 'float32', matrix === 'A' ? [rank, input] : [out, rank]);
    adapters.set(key, value);
    return value;
  };
  return {
    norm: (name) => weight(name)!,
    project: (x, linears) => {
      const widths = linears.map((name) => shapes[name].shape[0]);
      const stacked = concat(
        g,
        linears.map((name) => weight(name)!),
        0,
      ); // (Σ out, in)
      const biases = linears.map((name) => weight(`${name}Bias`));
      const bias = biases[0] && concat(g, biases as Value[], 0);
      const base = linear(g, x, stacked, bias); // (tokens, Σ out)
      const adapted = linears.filter((name) => targets.includes(name));
      if (adapted.length === 0) return split(g, base, 1, widths);
      const a = concat(
        g,
        adapted.map((name) => adapter(name, 'A')),
        0,
      ); // (n · rank, in)
      const dropped = dropout
        ? mul(g, x, g.input(dropoutName(linears), 'float32', ['tokens', shapes[linears[0]].shape[1]]))
        : x;
      const b = scale(
        g,
        diagonal(g, linears, adapted, shapes, rank, (name) => adapter(name, 'B')),
        alpha / rank,
      );
      return split(g, linear(g, linear(g, dropped, a), b, base), 1, widths);
    },
    wanted: () => adapters,
  };
}

/** The B of every adapted Linear in its own rows and columns, zeros elsewhere: (Σ out, n · rank). */
function diagonal(
  g: Graph,
  linears: readonly LinearName[],
  adapted: readonly LinearName[],
  shapes: Readonly<Record<LinearName, Weight>>,
  rank: number,
  matrixB: (name: LinearName) => Value,
): Value {
  const zeros = (rows: number, columns: number): Value[] =>
    columns === 0 ? [] : [g.floats(new Float32Array(rows * columns), [rows, columns])];
  const bands = linears.map((name) => {
    const [out] = shapes[name].shape;
    const place = adapted.indexOf(name);
    if (place === -1) return zeros(out, adapted.length * rank)[0];
    const after = adapted.length - 1 - place;
    return concat(g, [...zeros(out, place * rank), matrixB(name), ...zeros(out, after * rank)], 1);
  });
  return concat(g, bands, 0);
}
