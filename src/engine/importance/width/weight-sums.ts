/** Sums over stored weights, some rows at a time, in float64. */
import type { LayerWeightKey } from '../../checkpoint/weight-key';
import type { WeightSource } from '../../weights/source';

/** Numbers that are read at once. */
const PIECE = 2 ** 20;

/** Passes every row of a matrix to `see`, in order. The row is valid during the call. */
async function eachRow(
  weights: WeightSource,
  key: LayerWeightKey,
  see: (row: Float32Array, index: number) => void,
): Promise<void> {
  const [rows, width] = weights.shape(key);
  const atATime = Math.max(1, Math.floor(PIECE / width));
  for (let start = 0; start < rows; start += atATime) {
    const count = Math.min(atATime, rows - start);
    const values = await weights.read(key, { start, count });
    for (let r = 0; r < count; r++) see(values.subarray(r * width, (r + 1) * width), start + r);
  }
}

/** Σ over rows of `of`(w), for each column; or Σ over columns, for each row. @throws UserError */
export async function channelSums(
  weights: WeightSource,
  key: LayerWeightKey,
  channels: 'rows' | 'columns',
  of: (weight: number) => number,
): Promise<Float64Array> {
  const [rows, columns] = weights.shape(key);
  const sums = new Float64Array(channels === 'rows' ? rows : columns);
  await eachRow(weights, key, (row, r) => {
    if (channels === 'columns') for (let c = 0; c < columns; c++) sums[c] += of(row[c]);
    else for (let c = 0; c < columns; c++) sums[r] += of(row[c]);
  });
  return sums;
}

/** W·x. @param x one number for each column @throws UserError */
export async function imageOf(weights: WeightSource, key: LayerWeightKey, x: Float64Array): Promise<Float64Array> {
  const y = new Float64Array(weights.shape(key)[0]);
  await eachRow(weights, key, (row, r) => {
    for (let c = 0; c < x.length; c++) y[r] += row[c] * x[c];
  });
  return y;
}

/** mean over i of |W_ij| · √energy_j: Wanda's |W| ‖x‖, averaged over the outputs. */
export async function weightedNorms(
  weights: WeightSource,
  key: LayerWeightKey,
  energy: Float64Array,
): Promise<Float64Array> {
  const [outputs] = weights.shape(key);
  const sums = await channelSums(weights, key, 'columns', Math.abs);
  return energy.map((e, j) => (sums[j] / outputs) * Math.sqrt(e));
}
