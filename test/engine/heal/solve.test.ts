/** The blocked Cholesky against the plain one, and against known solutions. */
import assert from 'node:assert/strict';
import { PANEL, panelOf, Panels } from '../../../src/engine/heal/blocked';
import { solveShifted } from '../../../src/engine/heal/shifted';
import { cholesky, NotPositiveDefinite, Products, solveWith, type Matrix } from '../../../src/engine/heal/solve';
import type { Vector } from '../../reference/forward';
import { choleskyFactor, solveSymmetric, transposedProduct, zeros } from '../../reference/matrices';
import { assertGradientClose } from '../../support/close';
import { normal } from '../../support/random';
import { full } from '../../support/shared';

/** No multiples of the block, one less, one more, and exactly one or two of them. */
const SIZES = [1, 2, 7, 64, PANEL - 1, PANEL, PANEL + 1, 200, 2 * PANEL, 2 * PANEL + 37, ...(full ? [700] : [])];

let products: Products;
before(() => {
  products = new Products();
});
after(() => products.close());

/** (rows, columns) of standard normal numbers. */
function random(rows: number, columns: number, seed: number): Vector[] {
  const next = normal(seed);
  return Array.from({ length: rows }, () => Float64Array.from({ length: columns }, next));
}

/** AᵀA of n columns, made of some more rows. */
const gramOf = (n: number, seed: number): Vector[] => {
  const a = random(n + 8, n, seed);
  return transposedProduct(a, a, n, n);
};

/** The lower triangle in panels, as sums of products leave it. */
function panelsOf(a: readonly Vector[], columns?: number): Panels {
  const matrix = new Panels(a.length, undefined, columns);
  for (const [p, start] of matrix.starts.entries()) {
    const width = matrix.width(start);
    for (let row = start; row < a.length; row++) {
      for (let j = 0; j < width; j++) {
        // What lies above the diagonal within a panel must not be read.
        matrix.panels[p][(row - start) * width + j] = start + j <= row ? a[row][start + j] : NaN;
      }
    }
  }
  return matrix;
}

/** One panel after the other, row by row, as a whole lower triangle. */
function lowerOf(matrix: Panels): Vector[] {
  const lower = zeros(matrix.size, matrix.size);
  for (const [p, start] of matrix.starts.entries()) {
    const width = matrix.width(start);
    for (let row = start; row < matrix.size; row++) {
      for (let j = 0; j < width && start + j <= row; j++) {
        lower[row][start + j] = matrix.panels[p][(row - start) * width + j];
      }
    }
  }
  return lower;
}

const flat = (a: readonly Vector[]): Float64Array => Float64Array.from(a.flatMap((row) => [...row]));
const matrixOf = (a: readonly Vector[]): Matrix => ({ data: flat(a), rows: a.length, columns: a[0].length });

/** The solution of A X = B by blocks. */
async function solve(a: readonly Vector[], b: readonly Vector[], columns?: number): Promise<Float64Array> {
  return (await solveWith(await cholesky(panelsOf(a, columns), products), matrixOf(b), products)).data;
}

describe('Cholesky in blocks', () => {
  for (const n of SIZES) {
    it(`${n} rows: factor and solutions of several right sides`, async () => {
      const a = gramOf(n, n);
      const { lower } = await cholesky(panelsOf(a), products);
      assertGradientClose(flat(lowerOf(lower)), flat(choleskyFactor(a)), 1e-11, 'L');
      const b = random(n, 65, 1000 + n);
      const x = solveSymmetric(a, b);
      for (const sides of [1, 3, 65]) {
        const [some, expected] = [b, x].map((all) => all.map((row) => row.slice(0, sides)));
        assertGradientClose(await solve(a, some), flat(expected), 1e-9, `${sides} right sides`);
      }
    });
  }

  for (const n of [PANEL + 40, 2 * PANEL, 2 * PANEL + 45]) {
    it(`${n} rows in wide panels, whose diagonal blocks are factored in panels themselves`, async () => {
      assert.ok(panelOf(4096) > PANEL);
      const columns = PANEL + 40;
      const a = gramOf(n, n);
      const { lower } = await cholesky(panelsOf(a, columns), products);
      assertGradientClose(flat(lowerOf(lower)), flat(choleskyFactor(a)), 1e-11, 'L');
      const b = random(n, 7, 1000 + n);
      assertGradientClose(await solve(a, b, columns), flat(solveSymmetric(a, b)), 1e-9, 'solutions');
    });
  }

  it('a diagonal, whose solution is a quotient', async () => {
    const n = PANEL + 5;
    const a = zeros(n, n);
    a.forEach((row, i) => (row[i] = 4 ** (i % 20)));
    const b = random(n, 2, 51);
    const expected = b.map((row, i) => row.map((value) => value / 4 ** (i % 20)));
    assert.deepEqual(await solve(a, b), flat(expected));
  });

  it('ill-conditioned matrices with a known solution: the rest is as small as float64 allows', async () => {
    for (const [n, decades] of [
      [150, 6],
      [300, 10],
    ]) {
      // Rows whose sizes fall by `decades` orders of magnitude: the condition is about 10^(2 · decades − …).
      const rows = random(n, n, n).map((row, i) => row.map((value) => value * 10 ** ((-decades * i) / (2 * n))));
      const a = transposedProduct(rows, rows, n, n);
      const x = random(n, 4, 52);
      const b = transposedProduct(a, x, n, 4);
      const found = await solve(a, b);
      const rest = transposedProduct(a, rowsOf(found, 4), n, 4);
      assertGradientClose(flat(rest), flat(b), 1e-13, `A X of ${n} rows`);
      const error = errorOf(found, flat(x));
      const plain = errorOf(flat(solveSymmetric(a, b)), flat(x));
      assert.ok(error < 10 * plain, `an error of ${error}, where the plain factor leaves ${plain}`);
    }
  });

  it('a singular matrix is solved with a ridge, and refused without', async () => {
    const [n, rank] = [300, 40];
    const rows = random(rank, n, 53);
    const a = transposedProduct(rows, rows, n, n);
    const b = transposedProduct(rows, random(rank, 3, 54), n, 3);
    const withRidge = a.map((row, i) => row.map((value, j) => (i === j ? value + 0.1 : value)));
    assertGradientClose(await solve(withRidge, b), flat(solveSymmetric(withRidge, b)), 1e-9, 'with a ridge');
    a[7].fill(0);
    for (const row of a) row[7] = 0; // a channel that is always zero
    await assert.rejects(solve(a, b), NotPositiveDefinite);
  });

  it('what is not positive definite is refused, in the first block and later', async () => {
    const n = 2 * PANEL + 3;
    const b = random(n, 1, 55);
    const whole = gramOf(n, 56);
    for (const row of [0, 5, PANEL, n - 1]) {
      for (const value of [-1, 0, NaN, Infinity]) {
        const a = whole.map((each) => each.slice());
        a[row][row] = value;
        await assert.rejects(solve(a, b), NotPositiveDefinite, `${value} at ${row}`);
      }
    }
  });

  it('is cancelled between products', async () => {
    const own = new Products(undefined, AbortSignal.abort());
    await assert.rejects(cholesky(panelsOf(gramOf(PANEL + 1, 57)), own), { name: 'CancelledError' });
    await own.close();
  });
});

const rowsOf = (data: Float64Array, columns: number): Vector[] =>
  Array.from({ length: data.length / columns }, (_, i) => data.slice(i * columns, (i + 1) * columns));

/** ‖a − b‖ / ‖b‖ */
function errorOf(a: Float64Array, b: Float64Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i])) / Math.hypot(...b);
}

describe('solving with a shift of its own for each column', () => {
  /** Gains over five orders, of both signs, some equal, one 0 and one that leaves nothing of G. */
  const gainsOf = (columns: number, seed: number): Float64Array => {
    const next = normal(seed);
    const gains = Float64Array.from({ length: columns }, () => Math.exp(2.5 * next()) * Math.sign(next()));
    gains.set([1, 1, -1, 0, 1e-9]);
    return gains;
  };

  for (const [n, tokens] of [
    [40, 60],
    [PANEL + 9, 30], // fewer tokens than inputs: G is singular
  ]) {
    it(`gives each column what its own system gives: ${n} inputs, ${tokens} tokens`, async () => {
      const columns = 70;
      const a = random(tokens, n, 3).map((row) => row.map((value, i) => value * Math.exp(-i / 8))); // eigenvalues of many orders
      const gram = transposedProduct(a, a, n, n);
      const right = random(n, columns, 4);
      const gains = gainsOf(columns, 5);
      const alpha = 0.3;
      const found = await solveShifted(panelsOf(gram), matrixOf(right), { gains, alpha }, products);
      for (const [c, g] of gains.entries()) {
        const left = gram.map((row, i) => row.map((value, j) => g * g * value + (i === j ? alpha : 0)));
        const wanted = solveSymmetric(
          left,
          right.map((row) => Float64Array.of(g * row[c])),
        );
        const column = right.map((_, i) => found.data[i * columns + c]);
        const most = Math.max(...wanted.map(([value]) => Math.abs(value)));
        for (const [i, [value]] of wanted.entries())
          assert.ok(Math.abs(column[i] - value) <= 1e-6 * most, `column ${c}`);
      }
    });
  }

  it('without a ridge every column has one system', async () => {
    const gram = gramOf(20, 6);
    const right = random(20, 6, 7);
    const gains = Float64Array.of(0.1, 1, -2, 30, 0, 1);
    const found = await solveShifted(panelsOf(gram), matrixOf(right), { gains, alpha: 0 }, products);
    const wanted = solveSymmetric(gram, right);
    for (const [i, row] of wanted.entries()) {
      for (const [c, value] of row.entries()) {
        const own = gains[c] === 0 ? 0 : value / gains[c];
        assert.ok(Math.abs(found.data[i * 6 + c] - own) <= 1e-9 * Math.max(1, Math.abs(own)), `${i}, ${c}`);
      }
    }
  });
});
