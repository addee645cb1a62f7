/**
 * The magnitude criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_magnitude.py`): Σ |w|^p over a block's
 * weights, without data or a session. A matrix gives one value per neuron (the sum over its input axis), a norm one
 * value per element. These values are reduced to the tensor's score, and a block's score is the sum over its tensors.
 * Both norms and any query/key norms count. Biases do not: the official code takes only parameters named "weight".
 */
import type { ScoreStored } from '../criterion';
import { elements } from '../../checkpoint/parameters';
import { layerKeys, type WeightKey, weightOf } from '../../checkpoint/weight-key';
import { Work, type JobOptions } from '../../progress';
import { rankBlocks } from '../select';
import { rowWidth, type WeightSource } from '../../weights/source';

export type MagnitudeNorm = 'l1' | 'l2';
/** How the values of a tensor become its score. `product` is the sum of logarithms, because products underflow. */
export type MagnitudeReduction = 'sum' | 'mean' | 'max' | 'product';

export interface MagnitudeOptions {
  /** p = 1, or p = 2: the sum of squares without a square root. */
  readonly norm: MagnitudeNorm;
  readonly reduction: MagnitudeReduction;
}

export interface TensorScore {
  readonly block: number;
  /** The tensor's full name. */
  readonly name: string;
  readonly score: number;
}

export interface MagnitudeScores {
  readonly blocks: { index: number; score: number }[];
  readonly order: number[];
  readonly tensors: TensorScore[];
}

/** Numbers that are read at once. */
const PIECE = 2 ** 20;

/** @throws UserError when a file cannot be read; CancelledError */
export async function scoreMagnitude(
  weights: WeightSource,
  { norm, reduction }: MagnitudeOptions = { norm: 'l1', reduction: 'sum' },
  job: JobOptions = {},
): Promise<MagnitudeScores> {
  const { architecture } = weights;
  const keysOf = (block: number) => layerKeys(architecture, block).filter(({ name }) => !name.endsWith('Bias'));
  const indices = Array.from({ length: architecture.layers.length }, (_, i) => i);
  const bytes = indices.flatMap(keysOf).reduce((sum, key) => sum + bytesOf(weights, key), 0);
  const work = new Work(job, bytes, 'bytes', 'reading weights');
  const tensors: TensorScore[] = [];
  const blocks: { index: number; score: number }[] = [];
  for (const index of indices) {
    work.step(`block ${index + 1} of ${architecture.layers.length}`);
    let score = 0;
    for (const key of keysOf(index)) {
      const neurons = await neuronMagnitudes(weights, key, norm, work);
      const value = reduceNeurons(neurons, reduction);
      tensors.push({ block: index, name: weightOf(architecture, key)!.name, score: value });
      score += value;
    }
    blocks.push({ index, score });
  }
  return { blocks, order: rankBlocks(blocks.map((b) => b.score)), tensors };
}

/** Bytes that are read for a weight. */
function bytesOf(weights: WeightSource, key: WeightKey): number {
  return weights.stored(key)?.bytes ?? Float32Array.BYTES_PER_ELEMENT * elements(weights.shape(key));
}

/** Σ_j |W_ij|^p of each row of a matrix; |w_i|^p of a vector. Reads some rows at a time, and sums in float64. */
async function neuronMagnitudes(
  weights: WeightSource,
  key: WeightKey,
  norm: MagnitudeNorm,
  work: Work,
): Promise<Float64Array> {
  const shape = weights.shape(key);
  const [rows, width] = [shape[0], rowWidth(shape)];
  const rowsAtATime = Math.max(1, Math.floor(PIECE / width));
  const rowBytes = bytesOf(weights, key) / rows;
  const neurons = new Float64Array(rows);
  for (let start = 0; start < rows; start += rowsAtATime) {
    const count = Math.min(rowsAtATime, rows - start);
    const values = await weights.read(key, { start, count });
    for (let i = 0; i < values.length; i++) {
      const value = norm === 'l1' ? Math.abs(values[i]) : values[i] * values[i];
      neurons[start + Math.floor(i / width)] += value;
    }
    work.advance(count * rowBytes);
  }
  return neurons;
}

function reduceNeurons(neurons: Float64Array, reduction: MagnitudeReduction): number {
  switch (reduction) {
    case 'sum':
      return neurons.reduce((a, b) => a + b, 0);
    case 'mean':
      return neurons.reduce((a, b) => a + b, 0) / neurons.length;
    case 'max':
      return neurons.reduce((a, b) => Math.max(a, b), -Infinity);
    case 'product':
      return neurons.reduce((sum, v) => sum + Math.log(v), 0);
  }
}

export const scoreStored: ScoreStored = async (weights, { norm, reduction }, job) => {
  const { blocks, tensors } = await scoreMagnitude(weights, { norm, reduction }, job);
  return { blocks, tensors, settings: { norm, reduction } };
};
