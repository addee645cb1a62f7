/**
 * Solves (g² G + αI) δ = g b for every column b of a matrix with a g of its own: a ridge of its own for each output of a
 * Linear. That is δ = x / g with (G + σI) x = b and a shift σ = α / g².
 *
 * An eigendecomposition of G would serve all shifts, but takes some 9 n³ products that cannot be done in blocks. Here columns
 * of similar shifts share a Cholesky factor of M = G + sI. With ρ = σ / s and T = s M⁻¹, whose eigenvalues are within 0 and 1,
 * G + σI = M (1 + (ρ − 1) T). The inverse of the second factor is a function of T whose Chebyshev series is known,
 *
 *     1 / (1 + (ρ − 1) T) = (1/√ρ) [1 + 2 Σ (−z)^k T_k(2T − 1)]        z = (√ρ − 1) / (√ρ + 1),
 *
 * so a few solutions with M give every column of the class to a part in 10⁷, whatever the eigenvalues of G are.
 */
import type { Panels } from './blocked';
import { cholesky, type Factor, type Matrix, type Products, solveWith } from './solve';

/** What the series leaves out, as a share of the solution. */
const ACCURACY = 1e-7;
/** Above so many traces of G a shift leaves nothing of G: x is b / σ. */
const BEYOND = 1e9;
/** Columns at a time, so that the vectors of the series take little memory. */
const COLUMNS = 512;
/** Classes end on a grid of this many places for each doubling of the shift. */
const PLACES = 4;

/** Columns that share a factor. */
interface ShiftClass {
  readonly shift: number;
  readonly columns: readonly number[];
  /** Solutions with the factor that each of them takes. */
  readonly terms: number;
}

/**
 * @param gram G
 * @param right the columns b, (n, columns); overwritten with δ
 * @param gains g of each column
 * @throws NotPositiveDefinite, CancelledError
 */
export async function solveShifted(
  gram: Panels,
  right: Matrix,
  { gains, alpha }: { readonly gains: Float64Array; readonly alpha: number },
  products: Products,
): Promise<Matrix> {
  const trace = gram.diagonal().reduce((sum, value) => sum + value, 0);
  const shifts = gains.map((gain) => (gain === 0 ? Infinity : alpha / gain ** 2));
  const solved = [...shifts.keys()].filter((c) => shifts[c] <= BEYOND * trace);
  const isSolved = new Set(solved);
  for (let c = 0; c < right.columns; c++) {
    if (isSolved.has(c)) continue;
    for (let at = c; at < right.data.length; at += right.columns)
      right.data[at] *= gains[c] === 0 ? 0 : gains[c] / alpha;
  }
  for (const { shift, columns, terms } of shiftClasses(shifts, solved, gram.size)) {
    const matrix = gram.copy();
    matrix.addToDiagonal(shift);
    const factor = await cholesky(matrix, products);
    for (let from = 0; from < columns.length; from += COLUMNS) {
      const some = columns.slice(from, from + COLUMNS);
      const ratios = some.map((c) => (shift === 0 ? 1 : shifts[c] / shift));
      const found = await series(factor, taken(right, some), { shift, ratios, terms }, products);
      put(right, some, found, (c) => 1 / gains[c]);
    }
  }
  return right;
}

/** Terms of the series where shifts are within a factor of `range` of each other. */
function termsFor(range: number): number {
  const root = range ** 0.25; // √ρ of the outermost shifts, which are √range from the middle
  const z = (root - 1) / (root + 1);
  return z <= ACCURACY ? 1 : Math.ceil(Math.log(ACCURACY) / Math.log(z));
}

/**
 * Classes of shifts, so that factors (n³ / 3 products each) and solutions (2 n² for each column and term) cost least in
 * all: a shortest path over the places of a logarithmic grid.
 */
function shiftClasses(shifts: Float64Array, columns: readonly number[], size: number): ShiftClass[] {
  const sorted = [...columns].sort((a, b) => shifts[a] - shifts[b]);
  const groups = groupsOf(sorted, (c) => (shifts[c] === 0 ? -Infinity : Math.floor(PLACES * Math.log2(shifts[c]))));
  const best: { cost: number; from: number }[] = [{ cost: 0, from: 0 }];
  const classOf = (from: number, end: number): ShiftClass => {
    const members = groups.slice(from, end).flat();
    const [low, high] = [shifts[members[0]], shifts[members[members.length - 1]]];
    return {
      shift: Math.sqrt(low) * Math.sqrt(high),
      columns: members,
      terms: low === high ? 1 : termsFor(high / low),
    };
  };
  for (let end = 1; end <= groups.length; end++) {
    const found = { cost: Infinity, from: 0 };
    for (let from = end - 1; from >= 0; from--) {
      const { columns: members, terms } = classOf(from, end);
      const cost = best[from].cost + size / 6 + members.length * terms; // in 2 n² products
      if (cost < found.cost) Object.assign(found, { cost, from });
    }
    best.push(found);
  }
  const classes: ShiftClass[] = [];
  for (let end = groups.length; end > 0; end = best[end].from) classes.push(classOf(best[end].from, end));
  return classes;
}

/** Neighbours with one key together. */
function groupsOf(sorted: readonly number[], keyOf: (column: number) => number): number[][] {
  const groups: number[][] = [];
  let last = NaN;
  for (const column of sorted) {
    const key = keyOf(column);
    if (key !== last) groups.push([]);
    last = key;
    groups[groups.length - 1].push(column);
  }
  return groups;
}

/** (G + σI)⁻¹ b for each column, with σ = ρ · shift. */
async function series(
  factor: Factor,
  right: Matrix,
  { shift, ratios, terms }: { readonly shift: number; readonly ratios: readonly number[]; readonly terms: number },
  products: Products,
): Promise<Matrix> {
  const roots = ratios.map(Math.sqrt);
  const weights = roots.map((root) => 1 / root);
  const next = roots.map((root) => (1 - root) / (1 + root)); // −z
  let current = await solveWith(factor, right, products); // T_0 y with y = M⁻¹ b
  let before = current;
  const sum = { ...current, data: new Float64Array(current.data.length) };
  for (let k = 0; k < terms; k++) {
    addColumns(sum, current, weights);
    if (k === terms - 1) break;
    for (const [c, z] of next.entries()) weights[c] *= k === 0 ? 2 * z : z;
    const image = await solveWith(factor, { ...current, data: current.data.slice() }, products);
    // T_{k+1} = 2 w T_k − T_{k−1} and T_1 = w, with w = 2 s M⁻¹ − 1
    for (let i = 0; i < image.data.length; i++) {
      const w = 2 * shift * image.data[i] - current.data[i];
      image.data[i] = k === 0 ? w : 2 * w - before.data[i];
    }
    [before, current] = [current, image];
  }
  return sum;
}

/** sum += matrix · diag(weights) */
function addColumns(sum: Matrix, { data, columns }: Matrix, weights: readonly number[]): void {
  for (let at = 0; at < data.length; at += columns) {
    for (let c = 0; c < columns; c++) sum.data[at + c] += weights[c] * data[at + c];
  }
}

/** Some columns of a matrix. */
function taken({ data, rows, columns }: Matrix, some: readonly number[]): Matrix {
  const values = new Float64Array(rows * some.length);
  for (let row = 0; row < rows; row++) {
    for (const [i, c] of some.entries()) values[row * some.length + i] = data[row * columns + c];
  }
  return { data: values, rows, columns: some.length };
}

/** Writes columns, each times a factor, to their places. */
function put(matrix: Matrix, some: readonly number[], { data }: Matrix, factorOf: (column: number) => number): void {
  const factors = some.map(factorOf);
  for (let row = 0; row < matrix.rows; row++) {
    for (const [i, c] of some.entries()) {
      matrix.data[row * matrix.columns + c] = factors[i] * data[row * some.length + i];
    }
  }
}
