/**
 * LoRA (Hu et al. 2021) inside a block: y = W x + (α/r) B A drop(x), with W frozen.
 *
 * Linears with the same input (q, k, v; gate, up) share one product of their stacked A, because a thin product costs as
 * much as reading its input. Their W and B are not stacked: twice as wide products are no faster, their results would
 * have to be split, and rows whose distance is a multiple of a page (gate and up of SmolLM2 together: three pages)
 * compete for the same cache lines.
 */
import { adapterName } from '../../adapter/names';
import type { Architecture, LinearName } from '../../checkpoint/architecture';
import { blockWeights } from '../../checkpoint/weight-names';
import type { Graph, Value } from '../../onnx/graph';
import { mul, scale } from '../../onnx/ops/elementwise';
import { linear } from '../../onnx/ops/linear';
import { concat, split } from '../../onnx/ops/shapes';
import { bindFrom, blockBinder } from '../../model/binding';
import type { BlockParameters } from '../../model/training-graph';
import { applyLinears, type WeightSource } from '../../weights/source';

export interface LoraShape {
  readonly rank: number;
  readonly alpha: number;
  /** The Linears with an adapter. */
  readonly targets: readonly LinearName[];
  /** Whether a mask of the adapters' inputs is fed. */
  readonly dropout: boolean;
}

/** Name of the mask over the input that `linears` share, (tokens, in): 0, or 1 / (1 − p). */
export function dropoutName(linears: readonly LinearName[]): string {
  return `dropout.${linears.join('')}`;
}

/** @param frozen has the weights, and the arithmetic of their products */
export function loraBlockParameters(
  g: Graph,
  architecture: Architecture,
  index: number,
  frozen: WeightSource,
  { rank, alpha, targets, dropout }: LoraShape,
): BlockParameters {
  const weight = blockBinder(architecture, index, bindFrom(g, frozen));
  const shapes = blockWeights(architecture, index);
  const adapters = new Map<string, Value>();
  const adapter = (name: LinearName, matrix: 'A' | 'B'): Value => {
    const [out, input] = shapes[name]!.shape;
    const key = adapterName(name, matrix);
    const value = g.input(key, 'float32', matrix === 'A' ? [rank, input] : [out, rank]);
    adapters.set(key, value);
    return value;
  };
  return {
    weight: (name) => weight(name)!,
    project: (x, linears) => {
      const bases = applyLinears(
        g,
        frozen,
        x,
        linears.map((name) => ({ key: { layer: index, name }, bias: weight(`${name}Bias`) })),
      );
      const adapted = linears.filter((name) => targets.includes(name));
      if (adapted.length === 0) return [...bases];
      const a = concat(
        g,
        adapted.map((name) => adapter(name, 'A')),
        0,
      ); // (n · rank, in)
      const dropped = dropout
        ? mul(g, x, g.input(dropoutName(linears), 'float32', ['tokens', shapes[linears[0]]!.shape[1]]))
        : x;
      const narrow = split(
        g,
        linear(g, dropped, a),
        1,
        adapted.map(() => rank),
      );
      return linears.map((name, i) => {
        const place = adapted.indexOf(name);
        return place === -1 ? bases[i] : linear(g, narrow[place], scale(g, adapter(name, 'B'), alpha / rank), bases[i]);
      });
    },
    wanted: () => adapters,
  };
}
