/** Plans an ONNX model: its file, which is small, and what its files of external data will hold. */
import { withLayers } from '../../checkpoint/architecture';
import { requireAttentionLeft } from '../../checkpoint/kinds/parts';
import { UserError } from '../../errors';
import { Graph } from '../../onnx/graph';
import { largest } from '../../onnx/ops/largest';
import { needOffsets } from '../../weights/blocks/offsets';
import type { WeightSource } from '../../weights/source';
import { buildOnnx } from './graph';
import { ONNX_FILES, type OnnxKind, type OnnxTarget } from './kinds';
import { type DataFile, DataFiles } from './layout';
import { BlockWeights } from './block-weights';
import { Constants, type ModelWeights } from './constants';
import { FloatWeights } from './float-weights';
import { requireOnnxBlocks } from './written-blocks';

export interface PlannedOnnx {
  readonly kind: OnnxKind;
  /** Name of the model's file. */
  readonly file: string;
  /** Its bytes. */
  readonly model: Uint8Array;
  readonly data: readonly DataFile[];
}

export interface OnnxPlanOptions {
  /** Blocks of the source, in this order. */
  readonly kept: readonly number[];
  readonly kind: OnnxKind;
  readonly target: OnnxTarget;
  readonly maxDataBytes?: number;
  readonly accuracy?: 0 | 4;
  /** Whether fp16 has one more output, "largest" (1): the largest number that its products take or give. For checks. */
  readonly withLargest?: boolean;
  readonly signal?: AbortSignal;
}

/** The most that a message of Protocol Buffers may have. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** @throws UserError when a file cannot be read; CancelledError */
export async function planOnnx(source: WeightSource, options: OnnxPlanOptions): Promise<PlannedOnnx> {
  const { kept, kind, target, maxDataBytes, signal } = options;
  const { layers } = source.architecture;
  requireOnnxBlocks(source.architecture, target);
  requireAttentionLeft(
    layers,
    [...layers.keys()].filter((block) => !kept.includes(block)),
  );
  const file = ONNX_FILES[kind];
  const files = new DataFiles(file, maxDataBytes);
  const g = new Graph();
  const constants = await Constants.open(g, source, kept, files, signal);
  // On WebGPU rows of whole blocks only were seen to be right.
  const hasOffsets = kind === 'q4' && target === 'cpu' && (await needOffsets(source));
  const weights = weightsOf(constants, options, hasOffsets);
  const products = kind === 'fp16' ? 'float16' : 'float32';
  buildOnnx(g, { architecture: withLayers(source.architecture, kept), target, weights, products });
  if (options.withLargest && weights instanceof FloatWeights) g.output('largest', largest(g, weights.narrowed));
  const model = g.serialize().bytes;
  if (model.length > MAX_MODEL_BYTES) {
    throw new UserError(`${file} cannot be written`, 'its graph has more than 2 GiB', 'Keep fewer blocks.');
  }
  return { kind, file, model, data: files.files };
}

function weightsOf(constants: Constants, { kind, accuracy = 4 }: OnnxPlanOptions, hasOffsets: boolean): ModelWeights {
  switch (kind) {
    case 'fp32':
      return new FloatWeights(constants, 'float32');
    case 'fp16':
      return new FloatWeights(constants, 'float16');
    case 'q8':
      return new BlockWeights(constants, { bits: 8, accuracy });
    case 'q4':
      return new BlockWeights(constants, { bits: 4, accuracy, hasOffsets });
  }
}
