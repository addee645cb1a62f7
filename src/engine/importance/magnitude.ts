/**
 * The magnitude criterion (§3.1; spec §1.2): Σ |w|^p over a block's weights, no data and no session. Matrices fold their
 * input axis to one value a neuron, norm vectors count element by element; the values of a tensor are then reduced, and
 * a block is the sum of its tensors. Both norms and any query/key norms count, biases do not (they are no "weight").
 */
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import type { StoredTensor } from '../formats/stored-tensor';
import { blockWeights } from '../checkpoint/weight-names';
import { Work, type JobOptions } from '../progress';
import { rankBlocks } from './select';
import { withFile } from '../files/regular-file';
import { tensorOf } from '../model/graph-weights';
import { widen } from '../formats/widen';

export type MagnitudeNorm = 'l1' | 'l2';
/** How the neurons of a tensor become its score. `product` is the sum of logarithms: products underflow. */
export type MagnitudeReduction = 'sum' | 'mean' | 'max' | 'product';

export interface MagnitudeOptions {
  /** p = 1, or p = 2 as a sum of squares without a root. */
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

/** Bytes read at a time. */
const PIECE = 4 << 20;

/** @throws UserError when the checkpoint can only be inspected; CancelledError */
export async function scoreMagnitude(
  checkpoint: Checkpoint,
  { norm, reduction }: MagnitudeOptions = { norm: 'l1', reduction: 'sum' },
  job: JobOptions = {},
): Promise<MagnitudeScores> {
  const architecture = requireArchitecture(checkpoint);
  const weightsOf = (block: number): StoredTensor[] =>
    Object.entries(blockWeights(architecture, block))
      .filter(([key]) => !key.endsWith('Bias'))
      .map(([, weight]) => tensorOf(checkpoint, weight as { name: string; shape: number[] }));
  const indices = Array.from({ length: architecture.blocks }, (_, i) => i);
  const bytes = indices.flatMap(weightsOf).reduce((sum, t) => sum + t.bytes, 0);
  const work = new Work(job, bytes, 'bytes', 'reading weights');
  const tensors: TensorScore[] = [];
  const blocks: { index: number; score: number }[] = [];
  for (const index of indices) {
    work.step(`block ${index + 1} of ${architecture.blocks}`);
    let score = 0;
    for (const tensor of weightsOf(index)) {
      const neurons = await neuronMagnitudes(tensor, norm, work);
      const value = reduceNeurons(neurons, reduction);
      tensors.push({ block: index, name: tensor.name, score: value });
      score += value;
    }
    blocks.push({ index, score });
  }
  return { blocks, order: rankBlocks(blocks.map((b) => b.score)), tensors };
}

/** Σ_j |W_ij|^p of each row of a matrix; |w_i|^p of a vector. Streams the file, summing in float64. */
async function neuronMagnitudes(tensor: StoredTensor, norm: MagnitudeNorm, work: Work): Promise<Float64Array> {
  const count = tensor.shape.reduce((a, b) => a * b, 1);
  const inputs = tensor.shape.length > 1 ? tensor.shape[1] : 1;
  const width = tensor.bytes / count;
  const neurons = new Float64Array(tensor.shape[0]);
  const buffer = Buffer.alloc(Math.min(PIECE, tensor.bytes));
  return withFile(tensor.file, async (file) => {
    for (let at = 0; at < tensor.bytes; at += buffer.length) {
      const bytes = buffer.subarray(0, Math.min(buffer.length, tensor.bytes - at));
      await file.readInto(bytes, tensor.offset + at);
      const values = widen(bytes, tensor.dtype, new Float32Array(bytes.length / width));
      const first = at / width;
      for (let i = 0; i < values.length; i++) {
        const value = norm === 'l1' ? Math.abs(values[i]) : values[i] * values[i];
        neurons[Math.floor((first + i) / inputs)] += value;
      }
      work.advance(bytes.length);
    }
    return neurons;
  });
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
