/** The gradient rules of rotation and attention, as op-gradients.ts checks the others. */
import type { Graph } from '../../src/engine/onnx/graph';
import { plainAttention, rotate, type RotaryTable } from '../../src/engine/onnx/ops/attention';
import { float32, floats } from '../../src/engine/onnx/session';
import { dot } from './differences';
import { rowsOf, softmaxOf, type Check, type Vector } from './op-check';

/** Registers their tests. */
export function testAttentionGradients(check: Check): void {
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
  const tables = (g: Graph): RotaryTable => {
    const shape = ['length', 2];
    return { cos: g.input('cos', 'float32', shape), sin: g.input('sin', 'float32', shape), headDim: 4 };
  };

  it('rotation', async () => {
    await check([['rows', 2, 'length', 4]], (g, [x]) => rotate(g, x, g.ints(0), tables(g)), rotated, { feeds: rotary });
  });

  const ways = [true, false].map((trained) => ({ trained, name: trained ? ', as training has it' : '' }));
  for (const { trained, name } of ways)
    it(`grouped-query attention from plain products, masked${name}`, async () => {
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
          plainAttention(g, [q, k, v], shape, tables(g), {
            mask: g.input('mask', 'float32', ['length', 'length']),
            trained,
          }),
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
