/** Types of the GGUF format: metadata values, and tensors with the sizes of their blocks. */
import { DTYPE_BITS, isElementType, type StoredDtype } from '../dtype';

/** Metadata value types, by their numbers. */
export const VALUE_TYPES = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const;

export type GgufValueType = (typeof VALUE_TYPES)[number];

/** Bytes of a value. For strings and arrays, bytes of the length before them. */
export const VALUE_BYTES: Readonly<Record<GgufValueType, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  string: 8,
  array: 12,
  u64: 8,
  i64: 8,
  f64: 8,
};

export interface TensorType {
  readonly name: StoredDtype;
  /** Elements per block; a row is a whole number of blocks. */
  readonly blockElements: number;
  readonly blockBytes: number;
}

const type = (name: StoredDtype, blockElements: number, blockBytes: number): TensorType => ({
  name,
  blockElements,
  blockBytes,
});

/** ggml's tensor types, by their numbers; the gaps were types of early versions that files no longer use. */
export const TENSOR_TYPES: ReadonlyMap<number, TensorType> = new Map([
  [0, type('F32', 1, 4)],
  [1, type('F16', 1, 2)],
  [2, type('Q4_0', 32, 18)],
  [3, type('Q4_1', 32, 20)],
  [6, type('Q5_0', 32, 22)],
  [7, type('Q5_1', 32, 24)],
  [8, type('Q8_0', 32, 34)],
  [9, type('Q8_1', 32, 36)],
  [10, type('Q2_K', 256, 84)],
  [11, type('Q3_K', 256, 110)],
  [12, type('Q4_K', 256, 144)],
  [13, type('Q5_K', 256, 176)],
  [14, type('Q6_K', 256, 210)],
  [15, type('Q8_K', 256, 292)],
  [16, type('IQ2_XXS', 256, 66)],
  [17, type('IQ2_XS', 256, 74)],
  [18, type('IQ3_XXS', 256, 98)],
  [19, type('IQ1_S', 256, 50)],
  [20, type('IQ4_NL', 32, 18)],
  [21, type('IQ3_S', 256, 110)],
  [22, type('IQ2_S', 256, 82)],
  [23, type('IQ4_XS', 256, 136)],
  [24, type('I8', 1, 1)],
  [25, type('I16', 1, 2)],
  [26, type('I32', 1, 4)],
  [27, type('I64', 1, 8)],
  [28, type('F64', 1, 8)],
  [29, type('IQ1_M', 256, 56)],
  [30, type('BF16', 1, 2)],
  [34, type('TQ1_0', 256, 54)],
  [35, type('TQ2_0', 256, 66)],
  [39, type('MXFP4', 32, 17)],
  [40, type('NVFP4', 64, 36)],
]);

/** The same by their names, with their numbers. */
export const TENSOR_TYPES_BY_NAME: ReadonlyMap<string, TensorType & { readonly number: number }> = new Map(
  [...TENSOR_TYPES].map(([number, each]) => [each.name, { ...each, number }]),
);

/** Bytes of so many numbers; a part of a block counts as such. */
export function bytesOfElements(dtype: StoredDtype, count: number): number {
  if (isElementType(dtype)) return (count * DTYPE_BITS[dtype]) / 8;
  const { blockElements, blockBytes } = TENSOR_TYPES_BY_NAME.get(dtype)!;
  return Math.ceil((count * blockBytes) / blockElements);
}
