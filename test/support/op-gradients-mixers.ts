/** The gradient rules of what recurrent mixers consist of, as op-gradients.ts checks the others. */
import { scale } from '../../src/engine/onnx/ops/elementwise';
import { chain } from '../../src/engine/onnx/ops/chain';
import { causalConvolution } from '../../src/engine/onnx/ops/convolution';
import { extentOf, padTokens, repeatEach, sliceTokens } from '../../src/engine/onnx/ops/extents';
import { gatedNorm, unitNorm } from '../../src/engine/onnx/ops/gated-norm';
import { clamp, cumulate, exp, sigmoid, silu, softplus } from '../../src/engine/onnx/ops/gates';
import { unitLowerInverse } from '../../src/engine/onnx/ops/triangular';
import { convolve } from '../reference/recurrence';
import { dot } from './differences';
import { rowsOf, type Check, type Vector } from './op-check';

const logistic = (v: number): number => 1 / (1 + Math.exp(-v));
const swish = (v: number): number => v * logistic(v);

/** Registers their tests. */
export function testMixerGradients(check: Check): void {
  const matrix = ['tokens', 4];
  const tokens = ['rows', 'length', 4];

  it('sigmoid, SiLU, softplus, exp', async () => {
    const gates = { sigmoid, silu, softplus, exp };
    const formulas = {
      sigmoid: logistic,
      silu: swish,
      softplus: (v: number) => Math.log1p(Math.exp(v)),
      exp: Math.exp,
    };
    for (const [name, op] of Object.entries(gates)) {
      await check(
        [matrix],
        (g, [x]) => op(g, x),
        (x) => x.map(formulas[name as keyof typeof formulas]),
      );
    }
  });

  it('a bound below, above, and none', async () => {
    for (const [least, most] of [
      [-0.5, 0.7],
      [0, Infinity],
      [-Infinity, 0.2],
    ]) {
      await check(
        [matrix],
        (g, [x]) => clamp(g, scale(g, x, 2), least, most),
        (x) => x.map((v) => Math.min(Math.max(2 * v, least), most)),
      );
    }
  });

  it('running sums, either way', async () => {
    for (const reverse of [false, true]) {
      await check(
        [matrix],
        (g, [x]) => cumulate(g, x, 1, reverse),
        (x) =>
          rowsOf(x, 4).flatMap((r) =>
            [0, 1, 2, 3].map((i) => (reverse ? r.slice(i) : r.slice(0, i + 1)).reduce((a, b) => a + b, 0)),
          ),
      );
    }
  });

  it('tokens added and left out, and heads repeated', async () => {
    await check(
      [tokens],
      (g, [x]) => padTokens(g, x, { before: 1, after: extentOf(g, x, 0) }, 'more'),
      (x) => rowsOf(x, 12).flatMap((r) => [0, 0, 0, 0, ...r, 0, 0, 0, 0, 0, 0, 0, 0]),
    );
    await check(
      [tokens],
      (g, [x]) => sliceTokens(g, x, g.ints(1), g.ints(2), 'fewer'),
      (x) => rowsOf(x, 12).flatMap((r) => [...r.subarray(4)]),
    );
    await check(
      [tokens],
      (g, [x]) => repeatEach(g, x, 2, 3),
      (x) => [...x].flatMap((v) => [v, v, v]),
    );
  });

  it('causal convolution with a bias and without, wider than the text and of one token', async () => {
    for (const width of [1, 3, 4]) {
      const formula = (x: Vector, w: Vector, b?: Vector): Vector => convolve({ length: 3, channels: 4 }, x, w, b);
      await check([tokens, [4, 1, width]], (g, [x, w]) => causalConvolution(g, x, w), formula);
      await check([tokens, [4, 1, width], [4]], (g, [x, w, b]) => causalConvolution(g, x, w, b), formula);
    }
  });

  it('gated norms, whole and in groups, the gate before and after', async () => {
    for (const groups of [1, 2]) {
      const width = 4 / groups;
      for (const gateAfter of [false, true]) {
        await check(
          [matrix, matrix, [4]],
          (g, [x, gate, weight]) => gatedNorm(g, x, gate, { weight, epsilon: 0.1, groups, gateAfter }),
          (x, gate, w) => {
            const inside = gateAfter ? x : x.map((v, i) => v * swish(gate[i]));
            const normed = rowsOf(inside, width).flatMap((r) => [
              ...r.map((v) => v / Math.sqrt(dot(r, r) / width + 0.1)),
            ]);
            return normed.map((v, i) => v * w[i % 4] * (gateAfter ? swish(gate[i]) : 1));
          },
        );
      }
    }
    await check(
      [tokens],
      (g, [x]) => unitNorm(g, x, 0.01, 0.5),
      (x) => rowsOf(x, 4).flatMap((r) => [...r.map((v) => (0.5 * v) / Math.sqrt(dot(r, r) + 0.01))]),
    );
  });

  it('the inverse of a triangular matrix, whatever stands above its diagonal', async () => {
    await check(
      [['rows', 4, 4]],
      (g, [a]) => unitLowerInverse(g, a),
      (a) => rowsOf(a, 16).flatMap(inverted),
    );
  });

  it('a recurrence of matrices, and of multiples', async () => {
    const [first, terms] = [
      ['rows', 2, 3],
      ['length', 'rows', 2, 3],
    ];
    for (const size of [1, 2]) {
      await check(
        [['length', 'rows', size, size], terms, first],
        (g, [a, b, s]) => {
          const { before, last } = chain(g, a, b, s);
          return [before, last];
        },
        (a, b, s) => steps(a, b, s, size),
      );
    }
  });
}

/** (I + the part of a below the diagonal)⁻¹ by substitution. a: (4, 4) */
function inverted(a: Vector): number[] {
  const x = Array.from({ length: 16 }, (_, at) => Number(at % 5 === 0));
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < i; j++) for (let k = 0; k < 4; k++) x[4 * i + k] -= a[4 * i + j] * x[4 * j + k];
  return x;
}

/** Three steps S ← A S + B for two rows of matrices (2, 3): the states before each, then the last. */
function steps(a: Vector, b: Vector, first: Vector, size: number): number[] {
  let states = rowsOf(first, 6);
  const found: number[] = [];
  for (let n = 0; n < 3; n++) {
    found.push(...states.flatMap((s) => [...s]));
    states = states.map((s, row) => {
      const factor = a.subarray((2 * n + row) * size * size, (2 * n + row + 1) * size * size);
      return Float64Array.from({ length: 6 }, (_, at) => {
        const [i, j] = [Math.floor(at / 3), at % 3];
        const turned = size === 1 ? factor[0] * s[at] : factor[2 * i] * s[j] + factor[2 * i + 1] * s[3 + j];
        return turned + b[(2 * n + row) * 6 + at];
      });
    });
  }
  return [...found, ...states.flatMap((s) => [...s])];
}
