/** What weights in blocks are, by their definition. */
import { Graph } from '../../src/engine/onnx/graph';
import {
  BLOCK,
  type BlockBits,
  blockLinear,
  blocksOf,
  columnsWithOffsets,
  withBlockSums,
} from '../../src/engine/onnx/ops/blocks';
import { layerKeys } from '../../src/engine/checkpoint/weight-key';
import type { KeyedPatch } from '../../src/engine/weights/patches';
import type { WeightSource } from '../../src/engine/weights/source';
import { float32, floats, openSession } from '../../src/engine/onnx/session';
import type { QuantizedRows } from '../../src/engine/weights/blocks/quantize';

/** The numbers of quantized rows in float64, row by row, bit by bit. */
export function dequantized(rows: QuantizedRows, width: number, bits: BlockBits): Float64Array {
  const blocks = blocksOf(width);
  const bitsOf = (bytes: Uint8Array, index: number): number => {
    let value = 0;
    for (let bit = 0; bit < bits; bit++) {
      const at = index * bits + bit;
      value += ((bytes[at >> 3] >> (at & 7)) & 1) << bit;
    }
    return value;
  };
  const zerosPerRow = (8 * rows.zeros.length) / bits / (rows.scales.length / blocks);
  return Float64Array.from({ length: (rows.scales.length / blocks) * width }, (_, i) => {
    const row = Math.floor(i / width);
    const block = Math.floor((i % width) / BLOCK);
    const value = bitsOf(rows.values, row * blocks * BLOCK + (i % width));
    return (value - bitsOf(rows.zeros, row * zerosPerRow + block)) * rows.scales[row * blocks + block];
  });
}

/** The same of rows with offsets: behind the numbers of a row there is an offset for each of its blocks. */
export function dequantizedWithOffsets(rows: QuantizedRows, width: number): Float64Array {
  const columns = columnsWithOffsets(width);
  const all = dequantized(rows, columns, 4);
  return Float64Array.from({ length: (all.length / columns) * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return all[row * columns + column] + all[row * columns + width + Math.floor(column / BLOCK)];
  });
}

/** x Wᵀ + bias as onnxruntime computes it. x: (tokens, width) → (tokens, out) */
export async function runBlockLinear(
  x: Float32Array,
  rows: QuantizedRows,
  width: number,
  bits: BlockBits,
  { bias, hasOffsets = false }: { readonly bias?: Float32Array; readonly hasOffsets?: boolean } = {},
): Promise<Float32Array> {
  const columns = hasOffsets ? columnsWithOffsets(width) : width;
  const blocks = blocksOf(columns);
  const out = rows.scales.length / blocks;
  const g = new Graph();
  const matrix = {
    bits,
    columns,
    values: g.bytes('uint8', rows.values, [out, blocks, (BLOCK * bits) / 8]),
    scales: g.floats(rows.scales, [out * blocks]),
    zeros: g.bytes('uint8', rows.zeros, [rows.zeros.length]),
  };
  const input = g.input('x', 'float32', ['tokens', width]);
  const taken = hasOffsets ? withBlockSums(g, input) : input;
  g.output('y', blockLinear(g, taken, matrix, bias && g.floats(bias, [out])));
  const session = await openSession(g.serialize(), { provider: 'cpu', prepack: true });
  try {
    return Float32Array.from(floats((await session.run({ x: float32(x, [x.length / width, width]) })).y));
  } finally {
    await session.close();
  }
}

/** Every matrix of the blocks, rounded to a grid of 16 numbers in each block of a row, as in a file of Q4_1. */
export async function gridWeights(weights: WeightSource): Promise<KeyedPatch[]> {
  const patches: KeyedPatch[] = [];
  for (const layer of weights.architecture.layers.keys()) {
    for (const key of layerKeys(weights.architecture, layer)) {
      if (weights.shape(key).length === 1) continue;
      const values = Float32Array.from(await weights.read(key));
      for (let start = 0; start < values.length; start += BLOCK) {
        const block = values.subarray(start, start + BLOCK);
        const least = Math.min(...block);
        const step = (Math.max(...block) - least) / 15;
        block.forEach((value, i) => (block[i] = least + step * Math.round((value - least) / step)));
      }
      patches.push([key, { kind: 'replace', values }]);
    }
  }
  return patches;
}
