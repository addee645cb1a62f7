/** How llama.cpp rounds weights in blocks of 32 (ggml-quants.c, quantize_row_q4_1_ref and quantize_row_q8_0_ref). */
import { narrow } from '../../src/engine/formats/narrow';
import { widen } from '../../src/engine/formats/widen';

const BLOCK = 32;

/** Rounded to float16 and back. */
function half(value: number): number {
  return widen(narrow(Float32Array.of(value), 'F16', new Uint8Array(2)), 'F16', new Float32Array(1))[0];
}

/** d q + m with q from 0 to 15; rows of `width`, a multiple of 32. */
export function q41(numbers: Float32Array, width: number): Float32Array {
  return eachBlock(numbers, width, (block) => {
    const least = Math.min(...block);
    const step = Math.fround((Math.max(...block) - least) / 15);
    const [d, m] = [half(step), half(least)];
    return block.map((value) => d * (step === 0 ? 0 : Math.min(15, Math.floor((value - least) / step + 0.5))) + m);
  });
}

/** d q with q from −127 to 127. */
export function q80(numbers: Float32Array, width: number): Float32Array {
  return eachBlock(numbers, width, (block) => {
    const step = Math.fround(Math.max(...block.map(Math.abs)) / 127);
    const d = half(step);
    return block.map((value) => d * (step === 0 ? 0 : Math.round(value / step)));
  });
}

function eachBlock(numbers: Float32Array, width: number, round: (block: Float32Array) => Float32Array): Float32Array {
  if (width % BLOCK !== 0) throw new Error(`rows of ${width} have no whole blocks of ${BLOCK}`);
  const rounded = new Float32Array(numbers.length);
  for (let at = 0; at < numbers.length; at += BLOCK) rounded.set(round(numbers.subarray(at, at + BLOCK)), at);
  return rounded;
}
