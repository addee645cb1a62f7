/** Rows of weights that lie among those of others (`TensorInfo.woven`). */
import type { RegularFile } from '../files/regular-file';
import { dequantizeMxfp4, MXFP4_BLOCK, spanOf } from './mxfp4';
import type { StoredTensor } from './stored-tensor';
import type { Rows, Woven } from './tensor';

/** The numbers of a row. */
const widthOf = ({ shape }: Pick<StoredTensor, 'shape'>): number => shape[1] ?? 1;

/** Some rows of a tensor in columns, as they are stored, one row after another. @throws UserError when the file cannot be read */
export async function readColumns(
  file: RegularFile,
  tensor: StoredTensor,
  { first, step, of }: Woven,
  { start, count }: Rows,
): Promise<Buffer> {
  const width = widthOf(tensor);
  const size = tensor.bytes / (tensor.shape[0] * width);
  const stored = await file.readRange(tensor.offset, width * of * size);
  const bytes = Buffer.alloc(count * width * size);
  for (let i = 0; i < count; i++) {
    const column = first + step * (start + i);
    for (let j = 0; j < width; j++) {
      const from = (j * of + column) * size;
      stored.copy(bytes, (i * width + j) * size, from, from + size);
    }
  }
  return bytes;
}

/** Some rows of a tensor of 4-bit floats. @param scales the file of its scales @throws UserError when a file cannot be read */
export async function readPackedRows(
  file: RegularFile,
  tensor: StoredTensor,
  rows: Rows,
  scales: RegularFile,
): Promise<Float32Array> {
  const { woven, offset, scales: at } = tensor;
  const blocks = widthOf(tensor) / MXFP4_BLOCK.elements;
  const span = spanOf(woven!, rows);
  const perRow = blocks * MXFP4_BLOCK.bytes;
  const packed = await file.readRange(offset + span.start * perRow, span.count * perRow);
  const exponents = await scales.readRange(at!.offset + span.start * blocks, span.count * blocks);
  const values = new Float32Array(rows.count * blocks * MXFP4_BLOCK.elements);
  for (let i = 0; i < rows.count; i++) {
    const line = i * woven!.step;
    dequantizeMxfp4(
      packed.subarray(line * perRow, (line + 1) * perRow),
      exponents.subarray(line * blocks, (line + 1) * blocks),
      values.subarray(i * blocks * MXFP4_BLOCK.elements, (i + 1) * blocks * MXFP4_BLOCK.elements),
    );
  }
  return values;
}
