/** Quantizes the matrices of a model, a piece of one at a time. */
import { createHash, type Hash } from 'node:crypto';
import { keyText, layerKeys } from '../../checkpoint/weight-key';
import { spreadRows } from '../../onnx/ops/spread';
import type { JobOptions } from '../../progress';
import { Work } from '../../progress';
import type { Rows } from '../../formats/tensor';
import { baseOf, type WeightSource } from '../source';
import { type BlockLayout, bytesOfBlocks, type PlacedMatrix } from './layout';
import { quantizeWithOffsets } from './offsets';
import { type QuantizedRows, quantizeRows } from './quantize';
import { storedRows } from './stored';
import type { BlockSink } from './store';

/** Numbers that are read at a time. */
const PIECE = 2 ** 22;

/** Changes with the numbers that quantizing gives. */
export const QUANTIZER_VERSION = 4;

/**
 * @returns SHA-256 (hex) of each block: of its shape, its quantized matrices and its other weights
 * @throws UserError when a file cannot be read; the system's error when the sink cannot be written; CancelledError
 */
export async function quantizeModel(
  source: WeightSource,
  layout: BlockLayout,
  sink: BlockSink,
  job: JobOptions = {},
): Promise<string[]> {
  const { architecture } = source;
  const { hidden, rmsNormEps } = architecture;
  const total = [...layout.matrices.values()].reduce((sum, { out, width }) => sum + out * width, 0);
  const work = new Work(job, total, 'parameters', 'quantizing the weights');
  const digests: string[] = [];
  for (const [layer, shape] of architecture.layers.entries()) {
    const { bits, hasOffsets } = layout;
    const about = { version: QUANTIZER_VERSION, bits, hasOffsets, hidden, rmsNormEps, shape };
    const hash = createHash('sha256').update(JSON.stringify(about));
    for (const key of layerKeys(architecture, layer)) {
      const matrix = layout.matrices.get(keyText(key));
      hash.update(`\n${key.name}\n`);
      if (matrix) await quantizeMatrix(source, matrix, sink, work, hash);
      else update(hash, await baseOf(source, key).read(key));
    }
    digests.push(hash.digest('hex'));
  }
  await quantizeMatrix(source, layout.matrices.get('head')!, sink, work);
  return digests;
}

async function quantizeMatrix(
  source: WeightSource,
  { key, bits, out, width, columns, isSpread, ...at }: PlacedMatrix,
  sink: BlockSink,
  work: Work,
  hash?: Hash,
): Promise<void> {
  const base = baseOf(source, key);
  const rounded = async (piece: Rows): Promise<QuantizedRows> => {
    const numbers = await base.read(key, piece);
    if (isSpread) spreadRows(numbers, width);
    return columns > width ? quantizeWithOffsets(numbers, width) : quantizeRows(numbers, width, bits);
  };
  const atATime = Math.max(1, Math.floor(PIECE / width));
  for (let start = 0; start < out; start += atATime) {
    const count = Math.min(atATime, out - start);
    const stored = isSpread ? undefined : await storedRows(source, key, { bits, width, columns }, { start, count });
    const rows = stored ?? (await rounded({ start, count }));
    const before = bytesOfBlocks(columns, bits, start);
    for (const part of ['values', 'scales', 'zeros'] as const) {
      const { buffer, byteOffset, byteLength } = rows[part];
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      hash?.update(bytes);
      await sink.write(at[part] + before[part], bytes);
    }
    work.advance(count * width);
  }
}

function update(hash: Hash, { buffer, byteOffset, byteLength }: Float32Array): void {
  hash.update(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
}
