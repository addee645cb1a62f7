/**
 * Blocks of a GGUF file as they are, in place of rounding their numbers again. Its blocks are onnxruntime's, but for the order of
 * the numbers in a byte: the first of two is number i of the block, the second number i + 16.
 */
import type { WeightKey } from '../../checkpoint/weight-key';
import { withFile } from '../../files/regular-file';
import { TENSOR_TYPES_BY_NAME } from '../../formats/gguf/types';
import { readRowBytes } from '../../formats/read-tensor';
import { storedTensor } from '../../formats/stored-tensor';
import type { Rows, Tiled } from '../../formats/tensor';
import { fileLine } from '../../formats/tiled';
import { halfToFloat } from '../../formats/widen';
import { BLOCK, type BlockBits, blocksOf } from '../../onnx/ops/blocks';
import { baseOf, type WeightSource } from '../source';
import { clamped, copyBlock, emptyRows, fillNibbles, type QuantizedRows, setZero } from './quantize';

/** How rows are wanted. */
export interface WantedRows {
  readonly bits: BlockBits;
  readonly width: number;
  /** The width, and the offsets behind it. */
  readonly columns: number;
}

/** Types whose blocks can be taken as they are, with the bits of their integers. */
const TAKEN = { Q4_0: 4, Q4_1: 4, Q8_0: 8 } as const;

type TakenType = keyof typeof TAKEN;

/** The type of a weight whose blocks can be taken as they are with so many bits; undefined for any other. */
function takenType(source: WeightSource, key: WeightKey, bits: BlockBits): TakenType | undefined {
  const { dtype, halves } = baseOf(source, key).stored(key) ?? {};
  if (halves) return undefined;
  return (Object.keys(TAKEN) as TakenType[]).find((type) => type === dtype && TAKEN[type] === bits);
}

/**
 * Rows of a weight from its file. The least number of a block of Q4_1 is any number, so it needs an offset (offsets.ts).
 * @returns undefined if they have to be rounded
 * @throws UserError when the file cannot be read
 */
export async function storedRows(
  source: WeightSource,
  key: WeightKey,
  { bits, width, columns }: WantedRows,
  rows: Rows,
): Promise<QuantizedRows | undefined> {
  const type = takenType(source, key, bits);
  if (type === undefined || (type === 'Q4_1' && columns === width)) return undefined;
  const tensor = storedTensor(baseOf(source, key).stored(key)!);
  const place = placesOf(tensor.tiled);
  if (!place) return undefined;
  const bytes = await withFile(tensor.file, (file) => readRowBytes(file, tensor, rows));
  const result = emptyRows(rows.count, columns, bits);
  const blocks = blocksOf(width);
  const perRow = blocksOf(columns);
  const size = TENSOR_TYPES_BY_NAME.get(type)!.blockBytes;
  const offsets = new Float32Array(blocks);
  const room = new Float32Array(BLOCK);
  for (let row = 0; row < rows.count; row++) {
    for (let b = 0; b < blocks; b++) {
      const at = (row * blocks + place(b)) * size;
      const { zero, offset } = takeBlock(type, bytes, at, result, row * perRow + b);
      offsets[b] = offset;
      setZero(result, row, columns, b, bits, zero);
    }
    for (let b = blocks; b < perRow; b++) {
      copyBlock(offsets, 0, blocks, b - blocks, room);
      setZero(result, row, columns, b, 4, fillNibbles(room, result.values, row * perRow + b, result.scales));
    }
  }
  return result;
}

/** Where a block of a row lies in the file; undefined if its numbers lie in several. Rows are read in the model's order. */
function placesOf(tiled: Tiled | undefined): ((block: number) => number) | undefined {
  if (tiled?.axis !== 'columns') return (block) => block;
  if (tiled.first % BLOCK !== 0 || tiled.width % BLOCK !== 0) return undefined;
  return (block) => fileLine(tiled, block * BLOCK) / BLOCK;
}

const half = (bytes: Buffer, at: number): number => halfToFloat(bytes.readUInt16LE(at));

/** Writes values and scale of block number `index`. @returns its zero point, and what is added to all of its numbers */
function takeBlock(
  type: TakenType,
  bytes: Buffer,
  at: number,
  { values, scales }: QuantizedRows,
  index: number,
): { readonly zero: number; readonly offset: number } {
  const scale = half(bytes, at);
  scales[index] = scale;
  if (type === 'Q8_0') {
    for (let i = 0; i < BLOCK; i++) values[index * BLOCK + i] = bytes[at + 2 + i] ^ 128;
    return { zero: 128, offset: 0 };
  }
  const from = at + (type === 'Q4_0' ? 2 : 4);
  const to = (index * BLOCK) / 2;
  for (let i = 0; i < 8; i++) {
    const [a, b] = [bytes[from + 2 * i], bytes[from + 2 * i + 1]];
    values[to + i] = (a & 15) | ((b & 15) << 4);
    values[to + 8 + i] = (a >> 4) | (b & 240);
  }
  if (type === 'Q4_0') return { zero: 8, offset: 0 };
  const least = half(bytes, at + 2);
  const zero = scale === 0 ? 0 : clamped(-least / scale, 15);
  return { zero, offset: least + zero * scale };
}

/** Whether the blocks of a model's file say that they need offsets, or that they do not; undefined if they say nothing. */
export function offsetsOfFile(source: WeightSource, keys: readonly WeightKey[]): boolean | undefined {
  const types = new Set(keys.map((key) => takenType(source, key, 4)));
  if (types.has('Q4_1')) return true;
  return types.size === 1 && types.has('Q4_0') ? false : undefined;
}
