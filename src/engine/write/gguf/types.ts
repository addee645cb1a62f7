/**
 * The types of the matrices of a quantized file, as llama.cpp's own program chooses them: the matrix that makes the
 * logits is finer than the others, and rows that are no whole number of blocks stay in 16 bits.
 */
import { UserError } from '../../errors';
import { isWeightDtype, type StoredDtype } from '../../formats/dtype';
import { BLOCK_ELEMENTS, isQuantized } from '../../formats/gguf/quantize';
import type { RewrittenDtype } from '../rewrite';
import { type GgufType, LLAMA_CPP_TYPES } from './kinds';

const DTYPES: Readonly<Record<GgufType, RewrittenDtype>> = {
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
  q8_0: 'Q8_0',
  q4_0: 'Q4_0',
  q4_1: 'Q4_1',
  q5_0: 'Q5_0',
  q5_1: 'Q5_1',
};

/** llama.cpp's numbers for what most matrices of a file are (`general.file_type`). */
export const FILE_TYPES: Readonly<Record<RewrittenDtype, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 7,
  Q5_0: 8,
  Q5_1: 9,
  BF16: 32,
};

/** Of the layout of quantized blocks (`general.quantization_version`); the only one today. */
export const QUANTIZATION_VERSION = 2;

/** llama.cpp's program makes Q6_K of the head where this divides its rows. Its scales are found by a search. */
const SUPER_BLOCK = 256;

/** Whether Coppice can make it. */
export const isRewritten = (dtype: StoredDtype): dtype is RewrittenDtype => isWeightDtype(dtype) || isQuantized(dtype);

export const storedAs = (type: GgufType): RewrittenDtype => DTYPES[type];

/** Whether rows of a tensor are whole numbers of the blocks that the type stores together. */
export const wholeBlocks = (dtype: RewrittenDtype, shape: readonly number[]): boolean =>
  !isQuantized(dtype) || shape[shape.length - 1] % BLOCK_ELEMENTS === 0;

/** The type of a matrix, (rows, columns). @param head whether it makes the logits: a tied embedding does */
export function dtypeFor(type: GgufType, shape: readonly number[], head: boolean): RewrittenDtype {
  const dtype = DTYPES[type];
  if (!isQuantized(dtype)) return dtype;
  if (!wholeBlocks(dtype, shape)) return 'F16';
  return head ? 'Q8_0' : dtype;
}

interface Typed {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Matrices that a quantized file has in 16 bits, if any. */
export function oddNotes(type: GgufType, tensors: readonly Typed[]): string[] {
  if (!isQuantized(DTYPES[type])) return [];
  const odd = tensors.filter(({ dtype, shape }) => dtype === 'F16' && shape.length > 1).length;
  return odd === 0 ? [] : [oddRows(odd)];
}

/** @param count of matrices */
export function oddRows(count: number): string {
  const has = count === 1 ? '1 matrix has rows that are' : `${count} matrices have rows that are`;
  return `${has} no multiple of ${BLOCK_ELEMENTS} long and stay in 16 bits`;
}

/** Where llama.cpp's program gives the head another type. @param head name of the matrix that makes the logits */
export function headNotes(type: GgufType | undefined, tensors: readonly Typed[], head: string): string[] {
  const wanted = type && DTYPES[type];
  if (wanted === undefined || !isQuantized(wanted) || wanted === 'Q8_0') return [];
  const logits = tensors.find(({ name }) => name === head);
  if (logits?.dtype !== 'Q8_0' || logits.shape[1] % SUPER_BLOCK !== 0) return [];
  return [`${head} is Q8_0, where llama-quantize makes Q6_K: a little larger and finer`];
}

/**
 * What to do for a type that only llama.cpp makes.
 * @param type as llama.cpp names it, in any case
 * @param file the GGUF file that was to be written, for the command
 * @returns undefined for other types
 */
export function kQuantAdvice(type: string, file = 'model.gguf'): UserError | undefined {
  const known = LLAMA_CPP_TYPES.find((name) => name === type.toLowerCase());
  if (known === undefined) return undefined;
  const wide = `${file.replace(/\.gguf$/i, '')}-f16.gguf`;
  return new UserError(
    `Coppice does not write ${known}`,
    "its scales are found by a search that only llama.cpp's own program has",
    `Write f16, and then run: llama-quantize ${wide} ${file} ${known.toUpperCase()}`,
  );
}
