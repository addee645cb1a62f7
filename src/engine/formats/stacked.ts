/** Weights that lie in one tensor together, as files have the matrices of all experts of a block. */
import { MXFP4_BLOCK } from './mxfp4';
import { type StoredTensor, storedTensor } from './stored-tensor';
import type { TensorInfo, Woven } from './tensor';

/** Where a weight lies in a stack, (experts, rows, columns) or, of vectors, (experts, entries). */
export interface StackPlace {
  /** The expert. */
  readonly slice: number;
  /** Its lines there: some rows on top of each other, or every so many. */
  readonly lines: { readonly start: number; readonly count: number } | Woven;
}

/**
 * The weight as a tensor.
 * @param name the weight's own
 * @param scales of a stack of 4-bit floats, which has two axes in place of the columns
 */
export function partOfStack(
  stack: TensorInfo,
  name: string,
  { slice, lines }: StackPlace,
  scales?: TensorInfo,
): StoredTensor {
  const { dtype, shape, bytes, file, offset } = storedTensor(stack);
  const [slices, ...own] = shape;
  const perSlice = bytes / slices;
  const at = { name, file, offset: offset + slice * perSlice };
  if (scales) return packedPart({ ...at, lines: lines as Woven, blocks: own[1], slice }, storedTensor(scales));
  if ('count' in lines) {
    const perRow = perSlice / own[0];
    const part = { dtype, shape: [lines.count, ...own.slice(1)], bytes: lines.count * perRow };
    return { ...at, ...part, offset: at.offset + lines.start * perRow };
  }
  const out = lines.of / lines.step;
  const part = { dtype, shape: [out, ...own.slice(0, -1)], bytes: perSlice / lines.step, woven: lines };
  return { ...at, ...part };
}

/** Whether a tensor has 4-bit floats with scales of their own, which Coppice reads. */
export const isPacked = (tensor: TensorInfo): boolean => 'scales' in tensor;

interface Packed extends Pick<StoredTensor, 'name' | 'file' | 'offset'> {
  readonly lines: Woven;
  /** Of a row. */
  readonly blocks: number;
  readonly slice: number;
}

function packedPart({ lines, blocks, slice, ...at }: Packed, scales: StoredTensor): StoredTensor {
  const out = lines.of / lines.step;
  const shape = [out, blocks * MXFP4_BLOCK.elements];
  const bytes = out * blocks * (MXFP4_BLOCK.bytes + 1);
  const perSlice = scales.bytes / scales.shape[0];
  const own = { file: scales.file, offset: scales.offset + slice * perSlice };
  const part: StoredTensor = { ...at, dtype: 'MXFP4', shape, bytes, woven: lines, scales: own };
  return part;
}
