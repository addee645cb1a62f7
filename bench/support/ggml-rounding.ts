/** Numbers as they are in a quantised GGUF file: rounded as llama.cpp does, and read again. */
import { dequantise } from '../../src/engine/formats/gguf/dequantise';
import { quantise, type QuantisedDtype } from '../../src/engine/formats/gguf/quantise';
import { bytesOfElements } from '../../src/engine/formats/gguf/types';

/** @param numbers whole blocks of 32 */
export function inGgmlType(numbers: Float32Array, type: QuantisedDtype): Float32Array {
  const bytes = quantise(numbers, type, new Uint8Array(bytesOfElements(type, numbers.length)));
  return dequantise(bytes, type, new Float32Array(numbers.length));
}
