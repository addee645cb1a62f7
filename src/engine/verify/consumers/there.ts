/** Which programs of others would run a file, without starting any. */
import type { ExportFormat } from '../../write/formats';
import { findPackage, findProgram, findPython, placeOf } from './places';

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
  const own = format === 'gguf' ? findLlamaProgram(from) : undefined;
  return [
    ...found.flat(),
    ...(own ? [{ name: own.name, place: own.file }] : []),
    ...(python === undefined ? [] : [{ name: GENAI, place: python }]),
  ];
}

/** Programs of llama.cpp that continue a text: before they were two, llama-cli did that too. */
const LLAMA_PROGRAMS = ['llama-completion', 'llama-cli'] as const;

/** The program of llama.cpp on the PATH, or in a folder that the user names. */
export function findLlamaProgram(from?: string): { readonly name: string; readonly file: string } | undefined {
  for (const name of LLAMA_PROGRAMS) {
    const file = findProgram(name, process.env, from);
    if (file !== undefined) return { name, file };
  }
  return undefined;
}

export const [LLAMA, TRANSFORMERS, GENAI] = ['llama.cpp (node-llama-cpp)', 'transformers.js', 'onnxruntime-genai'];
const LIBRARIES = [
  { name: LLAMA, library: 'node-llama-cpp', format: 'gguf' },
  { name: TRANSFORMERS, library: '@huggingface/transformers', format: 'onnx' },
] as const;

export const versionIn = ({ version }: { readonly version?: string }): { readonly version?: string } =>
  version === undefined ? {} : { version };
