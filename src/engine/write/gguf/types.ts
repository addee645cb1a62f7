/** What is said of the types of a quantized file, and which of them Coppice makes. Which matrix gets which is in mixes.ts. */
import { UserError } from '../../errors';
import { isWeightDtype, type StoredDtype } from '../../formats/dtype';
import { isQuantized, isSearched } from '../../formats/gguf/quantize';
import type { RewrittenDtype } from '../rewrite';
import { type GgufType, LLAMA_CPP_TYPES } from './kinds';
import { MAIN } from './mixes';

/** Of the layout of quantized blocks (`general.quantization_version`); the only one today. */
export const QUANTIZATION_VERSION = 2;

/** Whether Coppice can make it. */
export const isRewritten = (dtype: StoredDtype): dtype is RewrittenDtype => isWeightDtype(dtype) || isQuantized(dtype);

/** Whether Coppice can make it without a search, which may move numbers that lie on steps of the type already. */
export const isSimple = (dtype: StoredDtype): dtype is RewrittenDtype => isRewritten(dtype) && !isSearched(dtype);

interface Typed {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Elements of the smallest blocks of a quantized type. */
const LEAST_BLOCK = 32;

/** Matrices that a quantized file has in 16 bits, if any. */
export function oddNotes(type: GgufType | undefined, tensors: readonly Typed[]): string[] {
  if (type === undefined || !isQuantized(MAIN[type])) return [];
  const odd = tensors.filter(({ dtype, shape }) => dtype === 'F16' && shape.length > 1).length;
  return odd === 0 ? [] : [oddRows(odd)];
}

/** @param count of matrices */
export function oddRows(count: number): string {
  const has = count === 1 ? '1 matrix has rows that are' : `${count} matrices have rows that are`;
  return `${has} no multiple of ${LEAST_BLOCK} long and stay in 16 bits`;
}

/**
 * What to do for a type that only llama.cpp makes.
 * @param type as llama.cpp names it, in any case
 * @param file the GGUF file that was to be written, for the command
 * @returns undefined for other types
 */
export function llamaCppAdvice(type: string, file = 'model.gguf'): UserError | undefined {
  const known = LLAMA_CPP_TYPES.find((name) => name === type.toLowerCase());
  if (known === undefined) return undefined;
  const wide = `${file.replace(/\.gguf$/i, '')}-f16.gguf`;
  return new UserError(
    `Coppice does not write ${known}`,
    "only llama.cpp's own program makes it",
    `Write f16, and then run: llama-quantize ${wide} ${file} ${known.toUpperCase()}`,
  );
}
