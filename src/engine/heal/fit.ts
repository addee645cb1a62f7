/**
 * A correction by least squares: min over D of |X D − R|² + α |D|², α = λ · median of the diagonal of XᵀX. It shrinks
 * towards no change. The median, because one position with a massive activation can be almost all of the trace.
 */
import type { Panels } from './blocked';
import { addEquations, type NormalEquations } from './gram';
import { RIDGE_GRID } from './methods';
import { cholesky, type Factor, type Matrix, type Products, solveWith } from './solve';

export interface Fit {
  /** D, (d, h); undefined if no correction helps. */
  readonly delta: Matrix | undefined;
  /** Of all rows. */
  readonly traceGram: number;
  readonly medianGram: number;
  readonly normCross: number;
  readonly normDelta: number;
  /** ⟨D, XᵀR⟩ and ⟨D, XᵀX D⟩: with them the error after a share of D is known without another look at the tokens. */
  readonly linear: number;
  readonly quadratic: number;
  readonly ridge: number | null;
  readonly heldErrors?: readonly number[];
}

export const NO_CHANGE = { delta: undefined, normDelta: 0, linear: 0, quadratic: 0 } as const;

/** @param equations of all rows; overwritten @throws NotPositiveDefinite, CancelledError */
export async function fitWith(equations: NormalEquations, ridge: number, products: Products): Promise<Fit> {
  const facts = factsOf(equations);
  if (facts.medianGram === 0) return { ...facts, ...NO_CHANGE, ridge }; // X is zero
  const cross = equations.cross.data.slice();
  const delta = await deltaOf(equations, ridge, products);
  const normDelta = norm(delta.data);
  const linear = dot(delta.data, cross);
  const quadratic = linear - ridge * facts.medianGram * normDelta ** 2; // (XᵀX + αI) D = XᵀR
  return { ...facts, delta, normDelta, linear, quadratic, ridge };
}

/** The rows that choose the ridge, apart from the others. */
export interface ChosenRows {
  readonly equations: NormalEquations;
  /** Σ R² over these rows. */
  readonly squares: number;
}

/**
 * The same with the ridge of the grid that predicts the choosing rows best after a fit on the others. If none is better
 * than no correction, there is none.
 */
export async function fitByRows(others: NormalEquations, chosen: ChosenRows, products: Products): Promise<Fit> {
  const all = addEquations(others, chosen.equations);
  const heldErrors: number[] = [];
  for (const ridge of RIDGE_GRID) {
    const copy = { gram: others.gram.copy(), cross: { ...others.cross, data: others.cross.data.slice() } };
    const facts = factsOf(copy);
    const delta = facts.medianGram === 0 ? undefined : await deltaOf(copy, ridge, products);
    heldErrors.push(delta ? await relativeError(delta, chosen, products) : 1);
  }
  const best = Math.min(...heldErrors);
  if (!(best < 1)) return { ...factsOf(all), ...NO_CHANGE, ridge: null, heldErrors };
  return { ...(await fitWith(all, RIDGE_GRID[heldErrors.indexOf(best)], products)), heldErrors };
}

/** |X D − R|² / |R|² from the sums of products: (|R|² − 2 ⟨D, XᵀR⟩ + ⟨D, XᵀX D⟩) / |R|² */
export async function relativeError(
  delta: Matrix,
  { equations: { gram, cross }, squares }: ChosenRows,
  products: Products,
): Promise<number> {
  if (squares === 0) return 1;
  const image = await timesSymmetric(gram, delta, products);
  let linear = 0;
  let quadratic = 0;
  for (let i = 0; i < delta.data.length; i++) {
    linear += delta.data[i] * cross.data[i];
    quadratic += delta.data[i] * image[i];
  }
  return (squares - 2 * linear + quadratic) / squares;
}

/**
 * Turns XᵀR₀ into XᵀR for R = R₀ − X Wᵀ: subtracts XᵀX Wᵀ.
 * @param transposed Wᵀ, (d, h)
 */
export async function lessImage(
  { gram, cross }: NormalEquations,
  transposed: Matrix,
  products: Products,
): Promise<void> {
  const image = await timesSymmetric(gram, transposed, products);
  for (let i = 0; i < image.length; i++) cross.data[i] -= image[i];
}

/** G D for a symmetric G in panels: (d, h) */
async function timesSymmetric(gram: Panels, delta: Matrix, products: Products): Promise<Float64Array> {
  const { size, panels, starts } = gram;
  const { columns } = delta;
  const sum = { data: new Float64Array(delta.data.length), rows: size, columns }; // −G D
  for (const [p, start] of starts.entries()) {
    const width = gram.width(start);
    const panel = { data: panels[p], rows: size - start, columns: width };
    const own = { data: delta.data.subarray(start * columns, (start + width) * columns), rows: width, columns };
    const rest = { data: sum.data.subarray(start * columns), rows: size - start, columns };
    await products.subtract(rest, panel, own);
    if (start + width === size) continue;
    // The same entries above the diagonal.
    const below = { data: panel.data.subarray(width * width), rows: size - start - width, columns: width };
    const later = { data: delta.data.subarray((start + width) * columns), rows: below.rows, columns };
    const upper = { data: sum.data.subarray(start * columns, (start + width) * columns), rows: width, columns };
    await products.subtract(upper, below, later, 'transA');
  }
  return sum.data.map((value) => -value);
}

async function deltaOf({ gram, cross }: NormalEquations, ridge: number, products: Products): Promise<Matrix> {
  return solveWith((await factorOf(gram, ridge, products))!, cross, products);
}

/**
 * The factor of XᵀX + αI.
 * @param gram overwritten
 * @returns undefined if X is zero
 * @throws NotPositiveDefinite, CancelledError
 */
export async function factorOf(gram: Panels, ridge: number, products: Products): Promise<Factor | undefined> {
  const { median } = diagonalFacts(gram);
  if (median === 0) return undefined;
  gram.addToDiagonal(ridge * median);
  return cholesky(gram, products);
}

export function factsOf({ gram, cross }: NormalEquations): Pick<Fit, 'traceGram' | 'medianGram' | 'normCross'> {
  const { trace, median } = diagonalFacts(gram);
  return { traceGram: trace, medianGram: median, normCross: norm(cross.data) };
}

/** Trace, and the lower median; if that is 0, the mean of the nonzero entries. */
function diagonalFacts(gram: Panels): { readonly trace: number; readonly median: number } {
  const sorted = gram.diagonal().sort();
  const trace = sorted.reduce((sum, value) => sum + value, 0);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  if (median !== 0) return { trace, median };
  const nonzero = sorted.filter((value) => value !== 0).length;
  return { trace, median: nonzero === 0 ? 0 : trace / nonzero };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Euclidean norm in float64. */
export function norm(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
