/** llama.cpp's names for what a GGUF file is stored as (`general.file_type`): most of it, or a mixture of types. */

/** By number, from llama.cpp's `llama_ftype`. Some numbers are no longer in use. */
const NAMES: readonly (string | undefined)[] = [
  ...['F32', 'F16', 'Q4_0', 'Q4_1', undefined, undefined, undefined, 'Q8_0', 'Q5_0', 'Q5_1'],
  ...['Q2_K', 'Q3_K_S', 'Q3_K_M', 'Q3_K_L', 'Q4_K_S', 'Q4_K_M', 'Q5_K_S', 'Q5_K_M', 'Q6_K', 'IQ2_XXS'],
  ...['IQ2_XS', 'Q2_K_S', 'IQ3_XS', 'IQ3_XXS', 'IQ1_S', 'IQ4_NL', 'IQ3_S', 'IQ3_M', 'IQ2_S', 'IQ2_M'],
  ...['IQ4_XS', 'IQ1_M', 'BF16', undefined, undefined, undefined, 'TQ1_0', 'TQ2_0', 'MXFP4'],
];

/** Of a name, in any case. @throws Error for one that is not known */
export function fileTypeNumber(name: string): number {
  const number = NAMES.indexOf(name.toUpperCase());
  if (number === -1) throw new Error(`GGUF files have no type ${name}`);
  return number;
}

/** "Q4_K_M"; undefined for a number that is not known. */
export const fileTypeName = (number: number): string | undefined => NAMES.at(number >= 0 ? number : NAMES.length);
