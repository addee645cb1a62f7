/** Numbers as they are in a quantized GGUF file: rounded as llama.cpp does, and read again. */
import { dequantize } from '../../src/engine/formats/gguf/dequantize';
import { quantize, type QuantizedDtype } from '../../src/engine/formats/gguf/quantize';
import { bytesOfElements } from '../../src/engine/formats/gguf/types';

/** @param numbers whole blocks of 32 */
export function inGgmlType(numbers: Float32Array, type: QuantizedDtype): Float32Array {
  const bytes = quantize(numbers, type, new Uint8Array(bytesOfElements(type, numbers.length)));
  return dequantize(bytes, type, new Float32Array(numbers.length));
}
