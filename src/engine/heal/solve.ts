/**
 * Solves (G + αI) D = B for a symmetric positive semidefinite G: Cholesky in blocks, in float64. onnxruntime computes
 * the products; diagonal blocks are factored and inverted here. n³/3 + 2 n² h multiplications for n rows and h
 * right sides.
 */
import { throwIfCancelled } from '../errors';
import { Graph, type Value } from '../onnx/graph';
import { lessProduct } from '../onnx/ops/linear';
import { float64, openSession, type Session } from '../onnx/session';
import { PANEL, Panels } from './blocked';

/** G + αI is not positive definite: numbers are not finite, or α is too small for float64. */
export class NotPositiveDefinite extends Error {
  override readonly name = 'NotPositiveDefinite';
}

/** A matrix of float64, row by row. */
export interface Matrix {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

const FORMS = { plain: {}, transA: { transA: true }, transB: { transB: true } } as const;

/** Products of float64 matrices on the CPU. */
export class Products {
  private readonly sessions = new Map<keyof typeof FORMS, Session>();

  constructor(
    private readonly threads?: number,
    private readonly signal?: AbortSignal,
  ) {}

  /**
   * c ← c − A B in place, with a factor transposed. c: (n, m), a: (n, k) or (k, n), b: (k, m) or (m, k). Neither factor
   * shares memory with c.
   */
  async subtract(c: Matrix, a: Matrix, b: Matrix, form: keyof typeof FORMS = 'plain'): Promise<void> {
    throwIfCancelled(this.signal);
    const session = this.sessions.get(form) ?? (await this.open(form));
    const both = tensorOf(c);
    await session.run({ a: tensorOf(a), b: tensorOf(b), c: both }, { y: both });
  }

  async close(): Promise<void> {
    for (const session of this.sessions.values()) await session.close();
    this.sessions.clear();
  }

  private async open(form: keyof typeof FORMS): Promise<Session> {
    const g = new Graph();
    const matrix = (name: string): Value => g.input(name, 'float64', [`${name} rows`, `${name} columns`]);
    const [a, b, c] = ['a', 'b', 'c'].map(matrix);
    g.output('y', lessProduct(g, c, a, b, FORMS[form]));
    const session = await openSession(g.serialize(), { provider: 'cpu', threads: this.threads });
    this.sessions.set(form, session);
    return session;
  }
}

const tensorOf = ({ data, rows, columns }: Matrix) => float64(data, [rows, columns]);

/** Rows `start` … of a matrix, without a copy. */
function rowsFrom({ data, rows, columns }: Matrix, start: number, count = rows - start): Matrix {
  return { data: data.subarray(start * columns, (start + count) * columns), rows: count, columns };
}

/** The factor L of G + αI = L Lᵀ, and the inverses of its diagonal blocks. */
export interface Factor {
  readonly lower: Panels;
  /** (width, width) each, lower triangular. */
  readonly inverses: readonly Matrix[];
}

/**
 * @param matrix overwritten with L
 * @throws NotPositiveDefinite, CancelledError
 */
export async function cholesky(matrix: Panels, products: Products): Promise<Factor> {
  const { size, starts } = matrix;
  const inverses: Matrix[] = [];
  const panel = (p: number): Matrix => {
    return { data: matrix.panels[p], rows: size - starts[p], columns: matrix.width(starts[p]) };
  };
  for (const [p, start] of starts.entries()) {
    const own = panel(p);
    for (let k = 0; k < p; k++) {
      const earlier = rowsFrom(panel(k), start - starts[k]);
      await products.subtract(own, earlier, rowsFrom(earlier, 0, own.columns), 'transB');
    }
    const inverse = await factorDiagonal(rowsFrom(own, 0, own.columns), products);
    inverses.push(inverse);
    const below = rowsFrom(own, own.columns);
    if (below.rows > 0) await replaceByProduct(below, below, inverse, products, 'transB'); // A L⁻ᵀ
  }
  return { lower: matrix, inverses };
}

/** Replaces a diagonal block by its factor. @returns the inverse of that @throws NotPositiveDefinite */
async function factorDiagonal(diagonal: Matrix, products: Products): Promise<Matrix> {
  const { data, rows: n } = diagonal;
  if (n <= PANEL) {
    factorInPlace(diagonal);
    return invertLower(diagonal);
  }
  const panels = new Panels(n, undefined, PANEL);
  for (const [p, start] of panels.starts.entries()) {
    const width = panels.width(start);
    for (let i = start; i < n; i++) {
      panels.panels[p].set(data.subarray(i * n + start, i * n + start + width), (i - start) * width);
    }
  }
  const factor = await cholesky(panels, products);
  data.fill(0);
  for (const [p, start] of panels.starts.entries()) {
    const width = panels.width(start);
    for (let i = start; i < n; i++) {
      data.set(panels.panels[p].subarray((i - start) * width, (i - start + 1) * width), i * n + start);
    }
  }
  const inverse: Matrix = { data: new Float64Array(n * n), rows: n, columns: n };
  for (let i = 0; i < n; i++) inverse.data[i * n + i] = 1;
  await forward(factor, inverse, products);
  return inverse;
}

/**
 * The solution D of (L Lᵀ) D = B.
 * @param right (n, h); overwritten with D
 * @throws CancelledError
 */
export async function solveWith(factor: Factor, right: Matrix, products: Products): Promise<Matrix> {
  const { lower, inverses } = factor;
  await forward(factor, right, products);
  for (const [p, start] of [...lower.starts.entries()].reverse()) {
    // Lᵀ D = Y
    const width = lower.width(start);
    const own = rowsFrom(right, start, width);
    if (start + width < lower.size) {
      await products.subtract(own, below(lower, p), rowsFrom(right, start + width), 'transA');
    }
    await replaceByProduct(own, inverses[p], own, products, 'transA');
  }
  return right;
}

/** Replaces B by the solution Y of L Y = B. */
async function forward({ lower, inverses }: Factor, right: Matrix, products: Products): Promise<void> {
  for (const [p, start] of lower.starts.entries()) {
    const width = lower.width(start);
    const own = rowsFrom(right, start, width);
    await replaceByProduct(own, inverses[p], own, products);
    if (start + width < lower.size) await products.subtract(rowsFrom(right, start + width), below(lower, p), own);
  }
}

/** What is below the diagonal block of a panel. */
function below(lower: Panels, p: number): Matrix {
  const start = lower.starts[p];
  const columns = lower.width(start);
  return { data: lower.panels[p].subarray(columns * columns), rows: lower.size - start - columns, columns };
}

/** c ← A B, with a factor transposed; c may be one of the two. */
async function replaceByProduct(
  c: Matrix,
  a: Matrix,
  b: Matrix,
  products: Products,
  form: keyof typeof FORMS = 'plain',
): Promise<void> {
  const negative = { ...c, data: new Float64Array(c.data.length) };
  await products.subtract(negative, a, b, form);
  for (let i = 0; i < c.data.length; i++) c.data[i] = -negative.data[i];
}

/** Replaces a symmetric block by its lower Cholesky factor; above the diagonal it becomes 0. @throws NotPositiveDefinite */
function factorInPlace({ data, columns: n }: Matrix): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = data[i * n + j];
      for (let k = 0; k < j; k++) sum -= data[i * n + k] * data[j * n + k];
      if (i !== j) {
        data[i * n + j] = sum / data[j * n + j];
      } else {
        if (!(sum > 0) || sum === Infinity) throw new NotPositiveDefinite(`pivot ${sum}`);
        data[i * n + i] = Math.sqrt(sum);
      }
    }
    data.fill(0, i * n + i + 1, (i + 1) * n);
  }
}

/** The inverse of a lower triangular block. */
function invertLower({ data, columns: n }: Matrix): Matrix {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const pivot = 1 / data[i * n + i];
    for (let k = 0; k < i; k++) {
      const factor = data[i * n + k] * pivot;
      for (let j = 0; j <= k; j++) inverse[i * n + j] -= factor * inverse[k * n + j];
    }
    inverse[i * n + i] = pivot;
  }
  return { data: inverse, rows: n, columns: n };
}
