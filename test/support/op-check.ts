/** An op's gradient rule, run by a provider in float32, against central differences of the op in float64. */
import { Graph, type Dim, type Value } from '../../src/engine/onnx/graph';
import { gradients } from '../../src/engine/onnx/gradient';
import { float32, floats, openSession, type Feeds, type Provider, type Tensor } from '../../src/engine/onnx/session';
import { assertAllClose, assertGradientClose } from './close';
import { centralDifferences, dot } from './differences';
import { normal } from './random';

export type Vector = Float64Array;

const NAMED = { tokens: 6, rows: 2, length: 3, fewer: 2, more: 6 } as const;
const extent = (dim: Dim): number => (typeof dim === 'number' ? dim : NAMED[dim as keyof typeof NAMED]);

/** Where the ops run, and how close they must come. */
export interface Target {
  readonly provider: Provider;
  /** Absolute for results, relative in L2 for gradients. */
  readonly tolerance: number;
}

/**
 * Checks an op with the results `build` over random inputs of the given shapes: ∂(Σ seed ⊙ result)/∂input for every
 * input (of the first `wanted`), and the result itself. `formula` is the op in float64.
 */
export async function checkOp(
  { provider, tolerance }: Target,
  shapes: readonly (readonly Dim[])[],
  build: (g: Graph, inputs: Value[]) => Value | Value[],
  formula: (...inputs: Vector[]) => ArrayLike<number>,
  { feeds = {}, wanted = shapes.length }: { feeds?: Feeds; wanted?: number } = {},
): Promise<void> {
  const g = new Graph();
  const next = normal(17);
  const given = shapes.map((shape) =>
    Float64Array.from({ length: shape.map(extent).reduce((a, b) => a * b, 1) }, () => Math.fround(next())),
  );
  const all: Record<string, Tensor> = { ...feeds };
  const fed = (name: string, shape: readonly Dim[], data: Vector): Value => {
    all[name] = float32(Float32Array.from(data), shape.map(extent));
    return g.input(name, 'float32', shape);
  };
  const inputs = shapes.map((shape, i) => fed(`x${i}`, shape, given[i]));
  const results = [build(g, inputs)].flat();
  const weights = formula(...given).length;
  const seed = Float64Array.from({ length: weights }, () => Math.fround(next()));
  let at = 0;
  const seeds = results.map((result, i) => {
    const size = result.shape.map(extent).reduce((a, b) => a * b, 1);
    return [result, fed(`seed${i}`, result.shape, seed.subarray(at, (at += size)))] as const;
  });
  const found = gradients(g, new Map(seeds), inputs.slice(0, wanted));
  results.forEach((result, i) => g.output(`y${i}`, result));
  found.forEach((d, i) => g.output(`d${i}`, d));
  const session = await openSession(g.serialize(), { provider });
  try {
    const fetched = await session.run(all);
    const outputs = results.flatMap((_, i) => [...floats(fetched[`y${i}`])]);
    assertAllClose(outputs, formula(...given), { absolute: tolerance }, 'result');
    for (const [i, x] of given.slice(0, wanted).entries()) {
      const expected = centralDifferences(() => dot(seed, formula(...given)), x);
      assertGradientClose(floats(fetched[`d${i}`]), expected, tolerance, `gradient of input ${i}`);
    }
  } finally {
    await session.close();
  }
}

/** Cuts into rows of `width`. */
export const rowsOf = (x: Vector, width: number): Vector[] =>
  Array.from({ length: x.length / width }, (_, r) => x.subarray(r * width, (r + 1) * width));
export const softmaxOf = (x: Vector): Vector => {
  const e = x.map((v) => Math.exp(v));
  return e.map((v) => v / e.reduce((a, b) => a + b, 0));
};

/** `checkOp` on one target. */
export type Check = (...args: Tail<Parameters<typeof checkOp>>) => Promise<void>;
type Tail<T extends readonly unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;
