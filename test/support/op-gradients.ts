/** The gradient rule of every differentiable op, for any provider. */
import type { Dim } from '../../src/engine/onnx/graph';
import {
  add,
  atMost,
  clamp,
  geGlu,
  mul,
  neg,
  scale,
  sharpSilu,
  softCap,
  sub,
  swiGlu,
} from '../../src/engine/onnx/ops/elementwise';
import { linear, matmul } from '../../src/engine/onnx/ops/linear';
import { frozenCrossEntropy, frozenDivergence } from '../../src/engine/onnx/ops/frozen-loss';
import { cosineDistance, crossEntropy, divergence } from '../../src/engine/onnx/ops/loss';
import { rmsNorm } from '../../src/engine/onnx/ops/norm';
import { sinkSoftmax, softmax, softmaxProduct } from '../../src/engine/onnx/ops/softmax';
import { concat, reshape, split, takeRows, transpose } from '../../src/engine/onnx/ops/shapes';
import { float32, int64 } from '../../src/engine/onnx/session';
import { dot } from './differences';
import { checkOp, rowsOf, softmaxOf, type Check, type Target, type Vector } from './op-check';
import { testAttentionGradients } from './op-gradients-attention';
import { testMixerGradients } from './op-gradients-mixers';
import { normal } from './random';

const logistic = (v: number): number => 1 / (1 + Math.exp(-v));
const geluTanh = (v: number): number => (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
const logSoftmaxOf = (x: Vector): Vector => softmaxOf(x).map(Math.log);
/** x W ᵀ, row by row; `width` columns of both. */
const product = (x: Vector, w: Vector, width: number): number[] =>
  rowsOf(x, width).flatMap((r) => rowsOf(w, width).map((c) => dot(r, c)));

/** Registers a test for each op. */
export function testOpGradients(target: Target): void {
  const check: Check = (...args) => checkOp(target, ...args);
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

  it('neg, scale, SiLU', async () => {
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
      [matrix, matrix],
      (g, [gate, up]) => swiGlu(g, gate, up),
      (gate, up) => gate.map((v, i) => v * logistic(v) * up[i]),
    );
  });

  it('GELU by tanh of a gate, small and large', async () => {
    for (const size of [1, 4]) {
      await check(
        [matrix, matrix],
        (g, [gate, up]) => geGlu(g, scale(g, gate, size), up),
        (gate, up) => gate.map((v, i) => geluTanh(size * v) * up[i]),
      );
    }
  });

  it('a soft bound, near it and far below', async () => {
    for (const cap of [0.4, 30]) {
      await check(
        [matrix],
        (g, [x]) => softCap(g, x, cap),
        (x) => x.map((v) => cap * Math.tanh(v / cap)),
      );
    }
  });

  it('a hard bound', async () => {
    await check(
      [matrix],
      (g, [x]) => clamp(g, x, 0.6),
      (x) => x.map((v) => Math.min(0.6, Math.max(-0.6, v))),
    );
    await check(
      [matrix],
      (g, [x]) => atMost(g, x, 0.6),
      (x) => x.map((v) => Math.min(0.6, v)),
    );
  });

  it('SiLU with a steepness', async () => {
    await check(
      [matrix],
      (g, [x]) => sharpSilu(g, x, 1.7),
      (x) => x.map((v) => v * logistic(1.7 * v)),
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

  it('RMSNorm of rows, and of heads within rows, by weight and by 1 + weight', async () => {
    for (const offset of [0, 1]) {
      const formula = (x: Vector, w: Vector): number[] =>
        rowsOf(x, 4).flatMap((r) => [...r].map((v, i) => (v * (offset + w[i])) / Math.sqrt(dot(r, r) / 4 + 0.1)));
      await check([matrix, [4]], (g, [x, w]) => rmsNorm(g, x, w, 0.1, offset), formula);
      await check([['tokens', 3, 4], [4]], (g, [x, w]) => rmsNorm(g, x, w, 0.1, offset), formula);
    }
  });

  it('softmax', async () => {
    await check(
      [['tokens', 2, 4]],
      (g, [x]) => softmax(g, x),
      (x) => rowsOf(x, 4).flatMap((r) => [...softmaxOf(r)]),
    );
  });

  it('softmax over one score more of each head', async () => {
    await check(
      [['rows', 2, 3, 4], [2]],
      (g, [scores, sinks]) => sinkSoftmax(g, scores, sinks),
      (scores, sinks) =>
        rowsOf(scores, 4).flatMap((r, n) => [
          ...softmaxOf(Float64Array.of(...r, sinks[Math.floor(n / 3) % 2])).slice(0, 4),
        ]),
    );
  });

  it('softmax and the product after it', async () => {
    await check(
      [
        ['rows', 3, 4],
        ['rows', 4, 2],
      ],
      (g, [scores, values]) => softmaxProduct(g, scores, values),
      (scores, values) =>
        rowsOf(scores, 4).flatMap((r, n) => {
          const v = values.subarray(8 * Math.floor(n / 3));
          return [0, 1].map((k) => softmaxOf(r).reduce((sum, p, i) => sum + p * v[2 * i + k], 0));
        }),
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

  it('token loss of a head that is not trained, whole and in pieces, with a cap and without', async () => {
    const target = [2, 0, 4, 3, 1, 2];
    const kinds = [null, 1.5].flatMap((cap) => [[5], [3, 2]].map((sizes) => ({ cap, sizes })));
    for (const { cap, sizes } of kinds) {
      await check(
        [matrix, ...sizes.map((words) => [words, 4])],
        (g, [h, ...pieces]) => {
          const words = g.input('target', 'int64', ['tokens']);
          const truth = takeRows(g, pieces.length > 1 ? concat(g, pieces, 0) : pieces[0], words);
          return frozenCrossEntropy(g, h, { pieces, truth, target: words }, cap);
        },
        (h, ...pieces) => {
          const z = product(h, Float64Array.from(pieces.flatMap((piece) => [...piece])), 4);
          const logits = Float64Array.from(z, (value) => (cap === null ? value : cap * Math.tanh(value / cap)));
          return rowsOf(logits, 5).map((r, t) => -logSoftmaxOf(r)[target[t]]);
        },
        { feeds: { target: int64(target, [6]) }, wanted: 1 },
      );
    }
  });

  it('divergence of a head that is not trained, from the mean row and entropy of a teacher, whole and in pieces', async () => {
    const target = [2, 0, 4, 3, 1, 2];
    const next = normal(5);
    const taught = target.map(() => softmaxOf(Float64Array.from({ length: 5 }, () => 2 * next())).map(Math.fround));
    const entropies = taught.map((q) => -dot(q, q.map(Math.log)));
    const feeds = {
      target: int64(target, [6]),
      taught: float32(Float32Array.from(taught.flatMap((q) => [...q])), [6, 5]),
      entropy: float32(Float32Array.from(entropies), [6]),
    };
    const kinds = [0, 0.3, 1].flatMap((weight) => [[5], [3, 2]].map((sizes) => ({ weight, sizes })));
    for (const { weight, sizes } of kinds) {
      await check(
        [matrix, ...sizes.map((words) => [words, 4])],
        (g, [h, ...pieces]) => {
          const head = pieces.length > 1 ? concat(g, pieces, 0) : pieces[0];
          const truth = takeRows(g, head, g.input('target', 'int64', ['tokens']));
          const q = g.input('taught', 'float32', ['tokens', 5]);
          const mean = linear(g, q, transpose(g, head, [1, 0]));
          const entropy = g.input('entropy', 'float32', ['tokens']);
          return frozenDivergence(g, h, { pieces, truth, weight, mean, entropy }).losses;
        },
        (h, ...pieces) => {
          const head = Float64Array.from(pieces.flatMap((piece) => [...piece]));
          return rowsOf(Float64Array.from(product(h, head, 4)), 5).map((row, t) => {
            const p = logSoftmaxOf(row);
            return -(1 - weight) * p[target[t]] - weight * (entropies[t] + dot(taught[t], p));
          });
        },
        { feeds, wanted: 1 },
      );
    }
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

  it('distance of directions from a teacher, who has no gradient', async () => {
    await check(
      [matrix, matrix],
      (g, [x, teacher]) => cosineDistance(g, x, teacher),
      (x, teacher) =>
        rowsOf(x, 4).map((r, t) => {
          const other = rowsOf(teacher, 4)[t];
          return 1 - dot(r, other) / Math.sqrt(dot(r, r) * dot(other, other));
        }),
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
  });

  it('a piece on which the loss does not depend', async () => {
    await check(
      [matrix],
      (g, [x]) => split(g, x, 1, [1, 2, 1])[1],
      (x) => rowsOf(x, 4).flatMap((r) => [r[1], r[2]]),
    );
  });

  testAttentionGradients(check);
  testMixerGradients(check);
}
