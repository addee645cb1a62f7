/**
 * The magnitude criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_magnitude.py`): Σ |w|^p over a block's
 * weights, without data or a session. A matrix gives one value per neuron (the sum over its input axis), a norm one
 * value per element. These values are reduced to the tensor's score, and a block's score is the sum over its tensors.
 * Both norms and any query/key norms count. Biases do not: the official code takes only parameters named "weight".
 */
import type { CriterionParts, ScoreStored } from '../criterion';
import { CUT_WORK } from '../cut-work';
import { elements } from '../../checkpoint/parameters';
import { isCounted, layerKeys, type WeightKey, weightOf } from '../../checkpoint/weight-key';
import { numbersIn } from '../../parts/split';
import { filledFrom } from '../../parts/table';
import { Work, type JobOptions } from '../../progress';
import { normCause } from '../not-finite';
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
  options: MagnitudeOptions = { norm: 'l1', reduction: 'sum' },
  job: JobOptions = {},
): Promise<MagnitudeScores> {
  const tensors = await measure(weights, [...weights.architecture.layers.keys()], options, job);
  return { ...resultOf([...tensors]), tensors: [...tensors.values()].flat() };
}

/** The tensors of some blocks, in the order of each block's weights. */
async function measure(
  weights: WeightSource,
  indices: readonly number[],
  { norm, reduction }: MagnitudeOptions,
  job: JobOptions,
): Promise<Map<number, TensorScore[]>> {
  const { architecture } = weights;
  const keysOf = (block: number) => layerKeys(architecture, block).filter(({ name }) => isCounted(name));
  const bytes = indices.flatMap(keysOf).reduce((sum, key) => sum + bytesOf(weights, key), 0);
  const work = new Work(job, bytes, 'bytes', 'reading weights');
  const found = new Map<number, TensorScore[]>();
  for (const index of indices) {
    work.step(`block ${index + 1} of ${architecture.layers.length}`);
    const tensors: TensorScore[] = [];
    for (const key of keysOf(index)) {
      const neurons = await neuronMagnitudes(weights, key, norm, work);
      const score = reduceNeurons(neurons, reduction);
      tensors.push({ block: index, name: weightOf(architecture, key)!.name, score });
    }
    found.set(index, tensors);
  }
  return found;
}

function resultOf(
  tensors: readonly (readonly [block: number, tensors: readonly { readonly score: number }[]])[],
): Pick<MagnitudeScores, 'blocks' | 'order'> {
  const blocks = tensors.map(([index, own]) => ({ index, score: own.reduce((sum, { score }) => sum + score, 0) }));
  return { blocks, order: rankBlocks(blocks.map(({ score }) => score)).map((i) => blocks[i].index) };
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

/** Variant k of the table is the block of step k, and its measures are its tensors. */
export const parts: CriterionParts = {
  oneRow: true,
  work: CUT_WORK.magnitude,
  measureStored: async (weights, { steps }, { candidates, rows }, settings, job) => {
    const own = numbersIn(candidates);
    const found = await measure(
      weights,
      own.map((k) => steps[k].block),
      settings,
      job,
    );
    return own.flatMap((k) => {
      const tensors = found.get(steps[k].block)!.map(({ name, score }): [string, number[]] => [name, [score]]);
      return filledFrom(k, rows, [Object.fromEntries(tensors)]);
    });
  },
  cause: (table, { steps }) => {
    const broken = [...steps.keys()].flatMap((k) =>
      table.measuresOf(k).filter((name) => !Number.isFinite(table.column(name, k)[0])),
    );
    return broken.length > 0 ? normCause(broken[0]) : undefined;
  },
  result: (table, { steps }) => {
    const tensorsOf = (k: number) => table.measuresOf(k).map((name) => ({ score: table.column(name, k)[0] }));
    return resultOf(steps.map(({ block }, k) => [block, tensorsOf(k)]));
  },
};
