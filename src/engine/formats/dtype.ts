/** The types of stored tensors: elements of the safetensors format with their sizes, and blocks of the GGUF format. */

/** Bits per element, by name in the safetensors format. */
export const DTYPE_BITS = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type Dtype = keyof typeof DTYPE_BITS;

/** The types that Coppice computes with, without conversion of the file. */
export type WeightDtype = 'F32' | 'F16' | 'BF16';

export function isWeightDtype(dtype: string): dtype is WeightDtype {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/** Types of the GGUF format that store the numbers of a row in blocks, and that Coppice computes with. */
export const BLOCK_TYPES = [
  'Q4_0',
  'Q4_1',
  'Q5_0',
  'Q5_1',
  'Q8_0',
  'Q2_K',
  'Q3_K',
  'Q4_K',
  'Q5_K',
  'Q6_K',
  'IQ4_NL',
  'IQ4_XS',
] as const;

export type BlockType = (typeof BLOCK_TYPES)[number];

/** Block types of the GGUF format whose numbers Coppice does not know. */
type OpaqueType =
  | 'Q8_1'
  | 'Q8_K'
  | 'IQ1_S'
  | 'IQ1_M'
  | 'IQ2_XXS'
  | 'IQ2_XS'
  | 'IQ2_S'
  | 'IQ3_XXS'
  | 'IQ3_S'
  | 'TQ1_0'
  | 'TQ2_0'
  | 'MXFP4'
  | 'NVFP4';

/** Any type of a stored tensor. */
export type StoredDtype = Dtype | BlockType | OpaqueType;

const BLOCKS: ReadonlySet<string> = new Set(BLOCK_TYPES);

export const isBlockType = (dtype: string): dtype is BlockType => BLOCKS.has(dtype);

/** Whether Coppice reads the numbers of such a tensor as weights. */
export const isReadable = (dtype: string): dtype is WeightDtype | BlockType =>
  isWeightDtype(dtype) || isBlockType(dtype);

/** Whether the type has a fixed size for each element, as all of the safetensors format. */
export const isElementType = (dtype: StoredDtype): dtype is Dtype => dtype in DTYPE_BITS;

/** The type that Coppice writes such numbers in, so that none is rounded. */
export const weightTypeOf = (dtype: WeightDtype | BlockType): WeightDtype => (isWeightDtype(dtype) ? dtype : 'F32');

/** The type of the safetensors format that holds the numbers of such a tensor exactly. */
export const elementTypeOf = (dtype: StoredDtype): Dtype => (isElementType(dtype) ? dtype : 'F32');
