/**
 * How experts that stay are rescaled: one factor for each, by least squares. Tokens of experts that are gone are routed to others, and
 * what these give does not fit. With y what all experts of the original's block give to a token, and u_j what kept expert j gives to it in
 * the model with fewer experts, its weight included, the factors s minimise Σ ‖y − Σ_j s_j u_j‖² + λ ‖s − 1‖².
 */
import { UserError } from '../../errors';
import { command } from '../../option-token';
import { Panels } from '../../heal/blocked';
import { cholesky, type Products, solveWith } from '../../heal/solve';
import type { TokenRows } from '../../model/forward';
import { HELD_OUT_EVERY } from './criteria';

/** λ is this share of the mean of the diagonal of UᵀU. It draws factors to 1, most those of experts with few tokens. */
const RIDGE = 0.01;

/**
 * Factors are kept between these: one beyond comes from too few tokens, or from inputs that have little to do with the original's any
 * more, and could turn an expert's sign or overflow float16. Some toys reach the lower bound; it makes no difference
 * (docs/design/importance.md).
 */
const LEAST = 1 / 4;
const MOST = 4;

/** Factors have so many digits behind the point: more than any stored type, and a record stays short. */
const DIGITS = 6;

/** The normal equations of one block, in float64. */
export class FactorSums {
  /** UᵀU. */
  private readonly gram: Panels;
  /** Uᵀ(y − Σ u): what is to be solved for s − 1. */
  private readonly side: Float64Array;
  private readonly rest: Float64Array;

  /** @param experts kept ones */
  constructor(
    readonly block: number,
    experts: number,
    private readonly hidden: number,
  ) {
    this.gram = new Panels(experts);
    this.side = new Float64Array(experts);
    this.rest = new Float64Array(hidden);
  }

  /**
   * Adds a token.
   * @param wanted y, (hidden)
   * @param experts numbers of the kept experts that it has
   * @param outputs u of each, (experts, hidden)
   */
  add(wanted: Float32Array, experts: ArrayLike<number>, outputs: Float32Array): void {
    const { hidden, rest } = this;
    const at = (i: number): Float32Array => outputs.subarray(i * hidden, (i + 1) * hidden);
    rest.set(wanted);
    for (let i = 0; i < experts.length; i++) {
      const own = at(i);
      for (let j = 0; j < hidden; j++) rest[j] -= own[j];
    }
    for (let i = 0; i < experts.length; i++) {
      this.side[experts[i]] += dot(at(i), rest);
      for (let k = 0; k <= i; k++) this.addProduct(experts[i], experts[k], dot(at(i), at(k)));
    }
  }

  /** The factors; 1 of an expert that no token reached. @throws UserError for sums that are not finite; CancelledError */
  async solve(products: Products): Promise<number[]> {
    const { gram, side } = this;
    const rows = side.length;
    const mean = gram.diagonal().reduce((sum, value) => sum + value, 0) / rows;
    if (!Number.isFinite(mean) || !side.every(Number.isFinite)) throw notFinite(this.block);
    if (mean === 0) return Array.from(side, () => 1);
    const system = gram.copy();
    system.addToDiagonal(RIDGE * mean);
    const right = { data: side.slice(), rows, columns: 1 };
    const { data } = await solveWith(await cholesky(system, products), right, products);
    return Array.from(data, (change) => Number(Math.min(MOST, Math.max(LEAST, 1 + change)).toFixed(DIGITS)));
  }

  private addProduct(a: number, b: number, value: number): void {
    const [row, column] = a > b ? [a, b] : [b, a];
    const { gram } = this;
    const panel = Math.floor(column / gram.panel);
    const start = panel * gram.panel;
    gram.panels[panel][(row - start) * gram.width(start) + column - start] += value;
  }
}

/** Rows that are fitted, and rows that decide whether factors are applied. */
export interface RescaleRows {
  readonly fit: TokenRows;
  readonly heldOut: TokenRows;
}

/** Every fourth row is held out, of fewer the last one. @param rows at least two */
export function splitRows(rows: TokenRows): RescaleRows {
  const isHeldOut = (_: unknown, r: number): boolean =>
    rows.length < HELD_OUT_EVERY ? r === rows.length - 1 : r % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
  return { fit: rows.filter((row, r) => !isHeldOut(row, r)), heldOut: rows.filter(isHeldOut) };
}

function dot(a: Float32Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

const notFinite = (block: number): UserError =>
  new UserError(
    'The experts cannot be rescaled',
    `what those of block ${block} give is not finite: a weight is broken, or numbers grow beyond float32`,
    `Look for the block with \`${command('inspect')}\`, or get the file again.`,
  );
