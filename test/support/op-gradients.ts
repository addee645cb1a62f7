/** The gradient rule of every differentiable op, run by a provider in float32, against differences in float64. */
import { Graph, type Dim, type Value } from '../../src/engine/onnx/graph';
import { gradients } from '../../src/engine/onnx/gradient';
import { plainAttention, rotate } from '../../src/engine/onnx/ops/attention';
import { add, mul, neg, scale, sigmoid, silu, sub } from '../../src/engine/onnx/ops/elementwise';
import { linear, matmul } from '../../src/engine/onnx/ops/linear';
import { crossEntropy, divergence } from '../../src/engine/onnx/ops/loss';
import { rmsNorm } from '../../src/engine/onnx/ops/norm';
import { softmax } from '../../src/engine/onnx/ops/reduce';
import { concat, repeatHeads, reshape, split, transpose } from '../../src/engine/onnx/ops/shapes';
import {
  float32,
  floats,
  int64,
  openSession,
  type Feeds,
  type Provider,
  type Tensor,
} from '../../src/engine/onnx/session';
import { assertAllClose, assertGradientClose } from './close';
import { centralDifferences, dot } from './differences';
import { normal } from './random';

type Vector = Float64Array;

const NAMED = { tokens: 6, rows: 2, length: 3 } as const;
const extent = (dim: Dim): number => (typeof dim === 'number' ? dim : NAMED[dim as keyof typeof NAMED]);

/** Where the ops run, and how close they must come. */
interface Target {
  readonly provider: Provider;
  /** Absolute for results, relative in L2 for gradients. */
  readonly tolerance: number;
}

/**
 * Checks an op with the results `build` over random inputs of the given shapes: ∂(Σ seed ⊙ result)/∂input for every
 * input (of the first `wanted`), and the result itself. `formula` is the op in float64.
 */
async function checkOp(
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

const rowsOf = (x: Vector, width: number): Vector[] =>
  Array.from({ length: x.length / width }, (_, r) => x.subarray(r * width, (r + 1) * width));
const logistic = (v: number): number => 1 / (1 + Math.exp(-v));
const softmaxOf = (x: Vector): Vector => {
  const e = x.map((v) => Math.exp(v));
  return e.map((v) => v / e.reduce((a, b) => a + b, 0));
};
const logSoftmaxOf = (x: Vector): Vector => softmaxOf(x).map(Math.log);
/** x W ᵀ, row by row; `width` columns of both. */
const product = (x: Vector, w: Vector, width: number): number[] =>
  rowsOf(x, width).flatMap((r) => rowsOf(w, width).map((c) => dot(r, c)));

/** Registers a test for each op. */
export function testOpGradients(target: Target): void {
  const check = (...args: Tail<Parameters<typeof checkOp>>): Promise<void> => checkOp(target, ...args);
  const matrix = ['tokens', 4];

  it('add, sub, mul: of equal shapes, and broadcast either way', async () => {
    for (const [a, b] of [
      [matrix, matrix],
      [matrix, [4]],
      [['tokens', 1], matrix],
      [[], matrix],
    ] as const) {
      const pairs = (f: (x: number, y: number) => number) => (x: Vector, y: Vector) => {
        const place = (v: Vector, shape: readonly Dim[], i: number): number =>
          v[shape.length === 0 ? 0 : shape.length === 1 ? i % 4 : shape[1] === 1 ? i >> 2 : i];
        return Float64Array.from({ length: 24 }, (_, i) => f(place(x, a, i), place(y, b, i)));
      };
      await check(
        [a, b],
        (g, [x, y]) => add(g, x, y),
        pairs((x, y) => x + y),
      );
      await check(
        [a, b],
        (g, [x, y]) => sub(g, x, y),
        pairs((x, y) => x - y),
      );
      await check(
        [a, b],
        (g, [x, y]) => mul(g, x, y),
        pairs((x, y) => x * y),
      );
    }
  });

  it('neg, scale, sigmoid, SiLU', async () => {
    await check(
      [matrix],
      (g, [x]) => neg(g, x),
      (x) => x.map((v) => -v),
    );
    await check(
      [matrix],
      (g, [x]) => scale(g, x, -2.5),
      (x) => x.map((v) => -2.5 * v),
    );
    await check(
      [matrix],
      (g, [x]) => sigmoid(g, x),
      (x) => x.map(logistic),
    );
    await check(
      [matrix],
      (g, [x]) => silu(g, x),
      (x) => x.map((v) => v * logistic(v)),
    );
  });

  it('an input that takes part twice', async () => {
    await check(
      [matrix],
      (g, [x]) => mul(g, x, sub(g, x, neg(g, x))),
      (x) => x.map((v) => 2 * v * v),
    );
  });

  it('linear: without anything, with a bias, onto a matrix', async () => {
    await check(
      [matrix, [3, 4]],
      (g, [x, w]) => linear(g, x, w),
      (x, w) => product(x, w, 4),
    );
    await check(
      [matrix, [3, 4], [3]],
      (g, [x, w, b]) => linear(g, x, w, b),
      (x, w, b) => product(x, w, 4).map((v, i) => v + b[i % 3]),
    );
    await check(
      [matrix, [3, 4], ['tokens', 3]],
      (g, [x, w, c]) => linear(g, x, w, c),
      (x, w, c) => product(x, w, 4).map((v, i) => v + c[i]),
    );
  });

  it('batched product', async () => {
    await check(
      [
        ['rows', 2, 'length', 4],
        ['rows', 2, 4, 'length'],
      ],
      (g, [a, b]) => matmul(g, a, b),
      (a, b) => {
        const columns = (m: Vector): number[] => [0, 1, 2].flatMap((c) => [0, 1, 2, 3].map((k) => m[3 * k + c]));
        return rowsOf(a, 12).flatMap((m, i) => product(m, Float64Array.from(columns(rowsOf(b, 12)[i])), 4));
      },
    );
  });

  it('RMSNorm of rows, and of heads within rows', async () => {
    const formula = (x: Vector, w: Vector): number[] =>
      rowsOf(x, 4).flatMap((r) => [...r].map((v, i) => (v * w[i]) / Math.sqrt(dot(r, r) / 4 + 0.1)));
    await check([matrix, [4]], (g, [x, w]) => rmsNorm(g, x, w, 0.1), formula);
    await check([['tokens', 3, 4], [4]], (g, [x, w]) => rmsNorm(g, x, w, 0.1), formula);
  });

  it('softmax', async () => {
    await check(
      [['tokens', 2, 4]],
      (g, [x]) => softmax(g, x),
      (x) => rowsOf(x, 4).flatMap((r) => [...softmaxOf(r)]),
    );
  });

  it('token loss', async () => {
    const target = [2, 0, 3, 3, 1, 2];
    await check(
      [matrix],
      (g, [z]) => crossEntropy(g, z, g.input('target', 'int64', ['tokens'])),
      (z) => rowsOf(z, 4).map((r, t) => -logSoftmaxOf(r)[target[t]]),
      { feeds: { target: int64(target, [6]) } },
    );
  });

  it('divergence from a teacher, who has no gradient', async () => {
    await check(
      [matrix, matrix],
      (g, [z, teacher]) => divergence(g, z, teacher),
      (z, teacher) => {
        return rowsOf(z, 4).map((r, t) => {
          const p = softmaxOf(rowsOf(teacher, 4)[t]);
          return dot(p, p.map(Math.log)) - dot(p, logSoftmaxOf(r));
        });
      },
      { wanted: 1 },
    );
  });

  it('reshape, transpose, split, concat, repeated heads', async () => {
    await check(
      [['tokens', 2, 4]],
      (g, [x]) => reshape(g, x, ['tokens', 8]),
      (x) => x,
    );
    await check(
      [['tokens', 2, 4]],
      (g, [x]) => transpose(g, x, [0, 2, 1]),
      (x) => rowsOf(x, 8).flatMap((m) => [0, 1, 2, 3].flatMap((i) => [m[i], m[4 + i]])),
    );
    const pieces = (x: Vector): number[] => {
      const rows = rowsOf(x, 4);
      return [...rows.flatMap((r) => [r[0]]), ...rows.flatMap((r) => [...r.subarray(1)])];
    };
    await check([matrix], (g, [x]) => split(g, x, 1, [1, 3]), pieces);
    await check(
      [matrix, ['tokens', 2]],
      (g, [x, y]) => concat(g, [x, y, x], 1),
      (x, y) => rowsOf(x, 4).flatMap((r, t) => [...r, ...rowsOf(y, 2)[t], ...r]),
    );
    await check(
      [['rows', 2, 'length', 4]],
      (g, [x]) => repeatHeads(g, x, 3),
      (x) => rowsOf(x, 12).flatMap((head) => [...head, ...head, ...head]),
    );
  });

  it('a piece on which the loss does not depend', async () => {
    await check(
      [matrix],
      (g, [x]) => split(g, x, 1, [1, 2, 1])[1],
      (x) => rowsOf(x, 4).flatMap((r) => [r[1], r[2]]),
    );
  });

  const angles = Float32Array.from({ length: 6 }, (_, i) => 0.7 * i);
  const rotary = { cos: float32(angles.map(Math.cos), [3, 2]), sin: float32(angles.map(Math.sin), [3, 2]) };
  /** Rotates the pairs (i, i + 2) of heads of width 4 whose positions are 0, 1, 2, 0, 1, 2, … */
  const rotated = (x: Vector): Vector => {
    const heads = rowsOf(x, 4).flatMap((v, p) => {
      const [c0, c1] = floats(rotary.cos).subarray(2 * (p % 3));
      const [s0, s1] = floats(rotary.sin).subarray(2 * (p % 3));
      return [v[0] * c0 - v[2] * s0, v[1] * c1 - v[3] * s1, v[2] * c0 + v[0] * s0, v[3] * c1 + v[1] * s1];
    });
    return Float64Array.from(heads);
  };
  const tables = (g: Graph): { cos: Value; sin: Value } => {
    const shape = ['length', 2];
    return { cos: g.input('cos', 'float32', shape), sin: g.input('sin', 'float32', shape) };
  };

  it('rotation', async () => {
    await check([['rows', 2, 'length', 4]], (g, [x]) => rotate(g, x, g.ints(0), tables(g)), rotated, { feeds: rotary });
  });

  it('grouped-query attention from plain products, masked', async () => {
    const hidden = (i: number, j: number): boolean => j > i || j <= i - 2; // causal, a window of 2
    const mask = Float32Array.from({ length: 9 }, (_, at) => (hidden(Math.floor(at / 3), at % 3) ? -1e30 : 0));
    const shape = { heads: 4, kvHeads: 2, headDim: 4, window: 2 };
    /** (rows · length, heads · 4) → (rows, heads, length, 4), a matrix (length, 4) for each head. */
    const byHead = (x: Vector, heads: number): Vector[] =>
      Array.from({ length: 2 * heads }, (_, n) => {
        const [r, h] = [Math.floor(n / heads), n % heads];
        return Float64Array.from([0, 1, 2].flatMap((t) => [...rowsOf(x, 4)[(r * 3 + t) * heads + h]]));
      });
    await check(
      [
        ['tokens', 16],
        ['tokens', 8],
        ['tokens', 8],
      ],
      (g, [q, k, v]) =>
        plainAttention(g, [q, k, v], shape, tables(g), g.input('mask', 'float32', ['length', 'length'])),
      (q, k, v) => {
        const queries = byHead(q, 4).map(rotated);
        const keys = byHead(k, 2).map(rotated);
        const values = byHead(v, 2);
        const mixed = queries.map((query, n) => {
          const shared = 2 * Math.floor(n / 4) + Math.floor((n % 4) / 2); // of the same row, two query heads each
          return [0, 1, 2].map((i) => {
            const scores = [0, 1, 2].map((j) =>
              hidden(i, j) ? -Infinity : dot(rowsOf(query, 4)[i], rowsOf(keys[shared], 4)[j]) / 2,
            );
            const weights = softmaxOf(Float64Array.from(scores));
            return [0, 1, 2, 3].map((d) => [0, 1, 2].reduce((s, j) => s + weights[j] * values[shared][4 * j + d], 0));
          });
        });
        return [0, 1].flatMap((r) => [0, 1, 2].flatMap((t) => [0, 1, 2, 3].flatMap((h) => mixed[4 * r + h][t])));
      },
      { feeds: { ...rotary, mask: float32(mask, [3, 3]) } },
    );
  });
}

type Tail<T extends readonly unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;
