/** Which programs of others would run a file, without starting any. */
import type { ExportFormat } from '../../write/formats';
import { findPackage, findPython, placeOf } from './places';

/** A program that is there, and where. */
export interface ConsumerThere {
  readonly name: string;
  readonly version?: string;
  /** A folder of packages, or the file of Python. */
  readonly place: string;
}

/** The programs that would run a file of the format. Starts none. @param from a folder that the user names */
export async function consumersThere(format: ExportFormat, from?: string): Promise<ConsumerThere[]> {
  const found = await Promise.all(
    LIBRARIES.filter((library) => library.format === format).map(async ({ name, library }) => {
      const there = await findPackage(library, from);
      return there ? [{ name, ...versionIn(there), place: placeOf(there) }] : [];
    }),
  );
  const python = format === 'onnx' ? findPython(from) : undefined;
  return [...found.flat(), ...(python === undefined ? [] : [{ name: GENAI, place: python }])];
}

export const [LLAMA, TRANSFORMERS, GENAI] = ['llama.cpp (node-llama-cpp)', 'transformers.js', 'onnxruntime-genai'];
const LIBRARIES = [
  { name: LLAMA, library: 'node-llama-cpp', format: 'gguf' },
  { name: TRANSFORMERS, library: '@huggingface/transformers', format: 'onnx' },
] as const;

export const versionIn = ({ version }: { readonly version?: string }): { readonly version?: string } =>
  version === undefined ? {} : { version };
