/** How the numbers that a teacher says about a row are kept: in the same number of bytes for each token. */
import { packStates, unitStateBytes, unpackStates } from '../../formats/unit-states';
import type { Expected } from '../../model/teaching';

/** What is kept: last hidden states, or what a frozen head needs to know of the distributions. */
export type KeptKind = 'states' | 'expected';

export interface KeptCoding {
  /** Of a token. */
  readonly bytes: number;
  readonly pack: (numbers: Float32Array, into: Uint8Array) => void;
  readonly unpack: (bytes: Uint8Array) => Float32Array;
}

/** States are of unit size then, in float16. Expectations are float32: their difference from the student's is the gradient. */
export function codingOf(kind: KeptKind, hidden: number): KeptCoding {
  if (kind === 'states') {
    const pack = (states: Float32Array, into: Uint8Array): void => packStates(states, hidden, into);
    return { bytes: unitStateBytes(hidden), pack, unpack: unpackStates };
  }
  return {
    bytes: 4 * (hidden + 1),
    // Read where they were written, so the machine's own order of bytes does.
    pack: (numbers, into) => into.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)),
    unpack: (bytes) => new Float32Array(Uint8Array.from(bytes).buffer),
  };
}

/** One row of numbers: the means, then the entropies. */
export function numbersOf({ mean, entropy }: Expected): Float32Array {
  const numbers = new Float32Array(mean.length + entropy.length);
  numbers.set(mean);
  numbers.set(entropy, mean.length);
  return numbers;
}
