/**
 * The fit where a norm is behind the Linear (healing.md §7): min over δ of |E − X δ diag(g)|² + α |δ|², for each output
 * channel with its own g, so that a channel with a small g, which has little to say, changes little.
 * α = λ · mean of XᵀX's eigenvalues · mean g².
 */
import { type ChosenRows, factsOf, type Fit, NO_CHANGE, norm, relativeError } from './fit';
import { addEquations, type NormalEquations } from './gram';
import { NORM_RIDGE_GRID } from './methods';
import { solveShifted } from './shifted';
import type { Matrix, Products } from './solve';

/** A fit without the sums that tell an error: that is measured, because the scale of a token moves with the weight. */
export type NormFit = Omit<Fit, 'linear' | 'quadratic'>;

/**
 * @param equations of all rows; overwritten
 * @param gains g of each channel
 * @throws NotPositiveDefinite, CancelledError
 */
export async function fitBehindNorm(
  equations: NormalEquations,
  gains: Float64Array,
  ridge: number,
  products: Products,
): Promise<NormFit> {
  const facts = factsOf(equations);
  if (facts.traceGram === 0) return { ...facts, ...NO_CHANGE, ridge }; // X is zero
  const delta = await deltaOf(equations, gains, ridge, products);
  return { ...facts, delta, normDelta: norm(delta.data), ridge };
}

/** The same with the ridge of the grid that predicts the choosing rows best; no correction if none is better than that. */
export async function fitBehindNormByRows(
  others: NormalEquations,
  chosen: ChosenRows,
  gains: Float64Array,
  products: Products,
): Promise<NormFit> {
  const all = addEquations(others, chosen.equations);
  const heldErrors: number[] = [];
  for (const ridge of NORM_RIDGE_GRID) {
    const cross = { ...others.cross, data: others.cross.data.slice() };
    const isEmpty = factsOf(others).traceGram === 0;
    if (!isEmpty) await deltaOf({ gram: others.gram, cross }, gains, ridge, products);
    heldErrors.push(isEmpty ? 1 : await relativeError(times(cross, gains), chosen, products));
  }
  const best = Math.min(...heldErrors);
  if (!(best < 1)) return { ...factsOf(all), ...NO_CHANGE, ridge: null, heldErrors };
  const ridge = NORM_RIDGE_GRID[heldErrors.indexOf(best)];
  return { ...(await fitBehindNorm(all, gains, ridge, products)), heldErrors };
}

/** δ, in place of XᵀE. */
function deltaOf(
  { gram, cross }: NormalEquations,
  gains: Float64Array,
  ridge: number,
  products: Products,
): Promise<Matrix> {
  const { traceGram } = factsOf({ gram, cross });
  const alpha = ((ridge * traceGram) / gram.size) * (norm(gains) ** 2 / gains.length);
  return solveShifted(gram, cross, { gains, alpha }, products);
}

/** δ diag(g), in place. */
function times(delta: Matrix, gains: Float64Array): Matrix {
  const { data, columns } = delta;
  for (let at = 0; at < data.length; at += columns) for (let c = 0; c < columns; c++) data[at + c] *= gains[c];
  return delta;
}

/**
 * The gains that follow the target best after a new weight, shrunk towards those of before and taken by a share:
 * g + step · ((Σ u R ω + α' g) / (Σ u² + α') − g) with α' = λ · mean over channels of Σ u².
 * @param sums Σ u R ω and Σ u² of each channel
 */
export function refittedGains(
  gains: Float64Array,
  { linear, quadratic }: { readonly linear: Float64Array; readonly quadratic: Float64Array },
  ridge: number,
  step: number,
): Float64Array {
  const alpha = (ridge * quadratic.reduce((a, b) => a + b, 0)) / quadratic.length;
  return gains.map((gain, c) => {
    const weight = quadratic[c] + alpha;
    return weight === 0 ? gain : gain + step * ((linear[c] + alpha * gain) / weight - gain);
  });
}
