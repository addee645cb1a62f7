/** Each op as onnxruntime computes it, against its definition; and the shape it claims, against the one it gets. */
import assert from 'node:assert/strict';
import { Graph, type Dim, type Value } from '../../../src/engine/onnx/graph';
import { add, geGlu, mul, neg, scale, softCap, sub, swiGlu } from '../../../src/engine/onnx/ops/elementwise';
import { linear, matmul } from '../../../src/engine/onnx/ops/linear';
import { logSumExpLast, pickLast } from '../../../src/engine/onnx/ops/loss';
import { rmsNorm } from '../../../src/engine/onnx/ops/norm';
import { softmax } from '../../../src/engine/onnx/ops/softmax';
import { meanLast, reduceSum, reduceTo } from '../../../src/engine/onnx/ops/reduce';
import { concat, lastRow, reshape, split, transpose } from '../../../src/engine/onnx/ops/shapes';
import { float32, floats, int64, openSession, type Tensor } from '../../../src/engine/onnx/session';
import { assertAllClose } from '../../support/close';
import { normal } from '../../support/random';

/** An input: its shape as the graph knows it, and the extents that it really has. */
interface Input {
  readonly shape: readonly Dim[];
  readonly dims: readonly number[];
}

const input = (shape: readonly Dim[], dims = shape.map((d) => (typeof d === 'number' ? d : 5))): Input => {
  return { shape, dims };
};

/** Runs an op over random inputs. Fails when a result's extents are not those that its value claims. */
async function run(
  inputs: readonly Input[],
  build: (g: Graph, values: Value[]) => Value | Value[],
): Promise<{ given: Float32Array[]; results: Float32Array[] }> {
  const g = new Graph();
  const next = normal(61);
  const feeds: Record<string, Tensor> = {};
  const extents = new Map<string, number>();
  const given: Float32Array[] = [];
  const values = inputs.map(({ shape, dims }, i) => {
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, next);
    given.push(data);
    feeds[`x${i}`] = float32(data, dims);
    for (const [axis, dim] of shape.entries()) if (typeof dim === 'string') extents.set(dim, dims[axis]);
    return g.input(`x${i}`, 'float32', shape);
  });
  const outputs = [build(g, values)].flat();
  for (const [i, output] of outputs.entries()) g.output(`y${i}`, output);
  const session = await openSession(g.serialize(), { provider: 'cpu' });
  try {
    const results = await session.run(feeds);
    for (const [i, { shape }] of outputs.entries()) {
      const claimed = shape.map((dim) => (typeof dim === 'number' ? dim : extents.get(dim)));
      assert.deepEqual([...results[`y${i}`].dims], claimed);
    }
    return { given, results: outputs.map((_, i) => floats(results[`y${i}`])) };
  } finally {
    await session.close();
  }
}

/** One result against a formula over the inputs' numbers, element by element. */
async function check(
  inputs: readonly Input[],
  build: (g: Graph, values: Value[]) => Value,
  expected: (...given: Float32Array[]) => ArrayLike<number>,
): Promise<void> {
  const { given, results } = await run(inputs, build);
  assertAllClose(results[0], expected(...given), { absolute: 2e-6 }, 'result');
}

const rowsOf = (x: Float32Array, width: number): Float32Array[] =>
  Array.from({ length: x.length / width }, (_, r) => x.subarray(r * width, (r + 1) * width));
const sum = (x: Float32Array): number => x.reduce((a, b) => a + b, 0);
const logistic = (v: number): number => 1 / (1 + Math.exp(-v));

describe('onnx/ops as they compute', () => {
  const matrix = input(['tokens', 4]);
  const row = input([4]);

  it('elementwise', async () => {
    await check(
      [matrix, row],
      (g, [a, b]) => add(g, a, b),
      (a, b) => a.map((v, i) => v + b[i % 4]),
    );
    await check(
      [matrix, row],
      (g, [a, b]) => sub(g, a, b),
      (a, b) => a.map((v, i) => v - b[i % 4]),
    );
    await check(
      [row, matrix],
      (g, [a, b]) => mul(g, a, b),
      (a, b) => b.map((v, i) => v * a[i % 4]),
    );
    await check(
      [matrix],
      (g, [x]) => neg(g, scale(g, x, 2.5)),
      (x) => x.map((v) => -2.5 * v),
    );
    await check(
      [matrix, matrix],
      (g, [gate, up]) => swiGlu(g, gate, up),
      (gate, up) => gate.map((v, i) => v * logistic(v) * up[i]),
    );
  });

  it('a soft bound, and GELU by tanh, of small numbers and of large ones', async () => {
    const gelu = (v: number): number => (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
    for (const cap of [0.5, 50]) {
      await check(
        [matrix],
        (g, [x]) => softCap(g, x, cap),
        (x) => Float64Array.from(x, (v) => cap * Math.tanh(v / cap)),
      );
    }
    await check(
      [matrix, matrix],
      (g, [gate, up]) => geGlu(g, scale(g, gate, 3), up),
      (gate, up) => Float64Array.from(gate, (v, i) => gelu(3 * v) * up[i]),
    );
    // Where tanh is at its bounds, and where a cube would leave the range of float32.
    const { given, results } = await run([matrix], (g, [x]) => {
      const huge = scale(g, x, 1e15);
      return [geGlu(g, huge, x), softCap(g, huge, 30)];
    });
    const bounds = Float64Array.from(given[0], (v) => (v > 0 ? 1e15 * v * v : 0));
    assertAllClose(results[0], bounds, { relative: 1e-6 }, 'GELU far out');
    assertAllClose(
      results[1],
      Float64Array.from(given[0], (v) => 30 * Math.sign(v)),
      { relative: 1e-6 },
      'bounds',
    );
  });

  it('products', async () => {
    const product = (x: Float32Array, w: Float32Array, bias?: Float32Array): number[] =>
      rowsOf(x, 4).flatMap((r) => rowsOf(w, 4).map((c, o) => (bias?.[o] ?? 0) + sum(r.map((v, i) => v * c[i]))));
    await check([matrix, input([3, 4])], (g, [x, w]) => linear(g, x, w), product);
    await check([matrix, input([3, 4]), input([3])], (g, [x, w, b]) => linear(g, x, w, b), product);
    const [a, b] = [input(['rows', 2, 3, 4], [2, 2, 3, 4]), input(['rows', 2, 4, 2], [2, 2, 4, 2])];
    await check(
      [a, b],
      (g, [x, y]) => matmul(g, x, y),
      (x, y) => {
        return rowsOf(x, 4).flatMap((r, i) => {
          const other = rowsOf(y, 8)[Math.floor(i / 3)];
          return [0, 1].map((column) => sum(r.map((v, k) => v * other[2 * k + column])));
        });
      },
    );
  });

  it('folds', async () => {
    const x = input(['tokens', 3, 4], [2, 3, 4]);
    await check(
      [x],
      (g, [v]) => reduceSum(g, v, [2]),
      (v) => rowsOf(v, 4).map(sum),
    );
    await check(
      [x],
      (g, [v]) => meanLast(g, v),
      (v) => rowsOf(v, 4).map((r) => sum(r) / 4),
    );
    await check(
      [matrix],
      (g, [v]) => reduceTo(g, v, [4]),
      (v) => [0, 1, 2, 3].map((c) => sum(v.filter((_, i) => i % 4 === c))),
    );
    await check(
      [matrix],
      (g, [v]) => softmax(g, v),
      (v) => rowsOf(v, 4).flatMap((r) => [...r.map((e) => Math.exp(e) / sum(r.map(Math.exp)))]),
    );
    await check(
      [matrix],
      (g, [v]) => logSumExpLast(g, v),
      (v) => rowsOf(v, 4).map((r) => Math.log(sum(r.map(Math.exp)))),
    );
  });

  it('log Σ exp of large logits does not overflow', async () => {
    const { given, results } = await run([matrix], (g, [v]) => logSumExpLast(g, scale(g, v, 1000)));
    const largest = rowsOf(given[0], 4).map((r) => 1000 * Math.max(...r)); // the others are too far behind to count
    assertAllClose(results[0], largest, { relative: 1e-6 }, 'log-sum-exp');
  });

  it('RMSNorm', async () => {
    await check(
      [matrix, row],
      (g, [x, w]) => rmsNorm(g, x, w, 0.1),
      (x, w) =>
        rowsOf(x, 4).flatMap((r) => {
          const rms = Math.sqrt(sum(r.map((v) => v * v)) / 4 + 0.1);
          return [...r.map((v, i) => (v / rms) * w[i])];
        }),
    );
  });

  it('RMSNorm by 1 + weight', async () => {
    await check(
      [matrix, row],
      (g, [x, w]) => rmsNorm(g, x, w, 0.1, 1),
      (x, w) =>
        rowsOf(x, 4).flatMap((r) => {
          const rms = Math.sqrt(sum(r.map((v) => v * v)) / 4 + 0.1);
          return [...r.map((v, i) => (v / rms) * (1 + w[i]))];
        }),
    );
  });

  it('moves', async () => {
    const x = input(['rows', 'length', 6], [2, 3, 6]);
    await check(
      [x],
      (g, [v]) => reshape(g, v, ['rows', 'length', 2, 3]),
      (v) => v,
    );
    await check(
      [input(['rows', 'length', 4], [2, 3, 4]), input(['tokens', 4], [6, 4])],
      (g, [a, b]) => add(g, reshape(g, a, ['tokens', 4]), b),
      (a, b) => a.map((v, i) => v + b[i]),
    );
    await check(
      [x],
      (g, [v]) => transpose(g, v, [1, 0, 2]),
      (v) => [0, 3, 1, 4, 2, 5].flatMap((r) => [...rowsOf(v, 6)[r]]),
    );
    const { given, results } = await run([x], (g, [v]) => split(g, v, 2, [4, 2]));
    assert.deepEqual(
      [...results[0]],
      rowsOf(given[0], 6).flatMap((r) => [...r.subarray(0, 4)]),
    );
    assert.deepEqual(
      [...results[1]],
      rowsOf(given[0], 6).flatMap((r) => [...r.subarray(4)]),
    );
    await check(
      [x],
      (g, [v]) => concat(g, split(g, v, 2, [4, 2]), 2),
      (v) => v,
    );
    await check(
      [matrix],
      (g, [v]) => lastRow(g, v),
      (v) => v.subarray(v.length - 4),
    );
  });

  it('picking one logit a token', async () => {
    const g = new Graph();
    const z = g.input('z', 'float32', ['tokens', 3]);
    g.output('y', pickLast(g, z, g.input('index', 'int64', ['tokens'])));
    const session = await openSession(g.serialize(), { provider: 'cpu' });
    const { y } = await session.run({
      z: float32(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
      index: int64([2, 0], [2]),
    });
    assert.deepEqual([...floats(y)], [3, 4]);
    await session.close();
  });
});
