/**
 * Whether this machine computes products in bfloat16. onnxruntime takes the setting everywhere and obeys it on Linux for arm64, on
 * processors with such instructions; elsewhere products stay float32 without a word.
 *
 * Products of known numbers decide, once in a process: they must be those of rounded factors, and a product that is not a Linear's
 * must still be that of float32.
 */
import { Graph, type Value } from './graph';
import { bfloat16Linear, matmul } from './ops/linear';
import { float32, floats, openSession } from './session';

/** Rows of the tried products: kernels for one row and for many differ. */
const ROWS = [1, 5, 64];
/** More than one tile of the kernels, and not a multiple of one. */
const INPUTS = 200;
const OUTPUTS = 70;
/** Of the sum of magnitudes, to which rounding the factors adds 2⁻⁹ and more for each of them. */
const TOLERANCE = 1e-5;

let found: Promise<string | undefined> | undefined;

/** Why products in bfloat16 cannot be used here; undefined if they can. */
export function bfloat16Fault(): Promise<string | undefined> {
  return (found ??= faultOn(`${process.platform}-${process.arch}`, tryProducts));
}

/** What products were found to be. */
export interface FoundProducts {
  /** Largest errors of a Linear, of the sum of magnitudes: from the product of rounded factors, and of the factors themselves. */
  readonly rounded: number;
  readonly exact: number;
  /** Largest error of another product in the same session, from that of the factors themselves. */
  readonly other: number;
}

/** @param platform as "linux-arm64" @param products computes the known products */
export async function faultOn(platform: string, products: () => Promise<FoundProducts>): Promise<string | undefined> {
  if (platform !== 'linux-arm64') return `onnxruntime has such products on Linux for arm64, and this is ${platform}`;
  const { rounded, exact, other } = await products();
  if (other > TOLERANCE) return 'onnxruntime computes products in bfloat16 here that should be float32';
  if (rounded <= TOLERANCE) return undefined;
  return exact <= TOLERANCE
    ? 'this processor has no instructions for it: a product of known numbers came out in float32'
    : 'a product of known numbers came out wrong';
}

/** Computes known products with a Linear in bfloat16 and another product, as models have them. */
export async function tryProducts(): Promise<FoundProducts> {
  const weight = known(OUTPUTS * INPUTS, 5);
  for (let at = 0; at < weight.length; at++) if (Math.floor(at / INPUTS) % 3 === 1) weight[at] *= -1;
  const session = await openSession(graphOf(weight).serialize(), { provider: 'cpu', prepack: true });
  const worst = { rounded: 0, exact: 0, other: 0 };
  try {
    for (const rows of ROWS) {
      const x = known(rows * INPUTS, 11);
      const { y, z } = await session.run({
        x: float32(x, [rows, INPUTS]),
        w: float32(transposed(weight), [INPUTS, OUTPUTS]),
      });
      const [exact, rounded] = [productOf(x, weight), productOf(x.map(toBfloat16), weight.map(toBfloat16))];
      worst.rounded = Math.max(worst.rounded, largestError(floats(y), rounded));
      worst.exact = Math.max(worst.exact, largestError(floats(y), exact));
      worst.other = Math.max(worst.other, largestError(floats(z), exact));
    }
    return worst;
  } finally {
    await session.close();
  }
}

/** y: a Linear with a bias of zeros and a sum behind it, which must not become a float32 product; z: a product of two feeds. */
function graphOf(weight: Float32Array): Graph {
  const g = new Graph();
  const x = g.input('x', 'float32', ['tokens', INPUTS]);
  const bias: Value = g.floats(new Float32Array(OUTPUTS), [OUTPUTS]);
  g.output('y', bfloat16Linear(g, x, g.floats(weight, [OUTPUTS, INPUTS]), bias));
  g.output('z', matmul(g, x, g.input('w', 'float32', [INPUTS, OUTPUTS])));
  return g;
}

/** Numbers from 1 to 2 that bfloat16 rounds down by 2⁻⁹. */
const known = (length: number, step: number): Float32Array =>
  Float32Array.from({ length }, (_, at) => 1 + ((step * at) % 127) / 128 + 2 ** -9);

/** The nearest number of bfloat16, ties to even; for finite numbers. */
export function toBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
}

/** (out, in) → (in, out) */
const transposed = (weight: Float32Array): Float32Array =>
  weight.map((_, at) => weight[(at % OUTPUTS) * INPUTS + Math.floor(at / OUTPUTS)]);

/** x Wᵀ in double precision. x: (rows, in), weight: (out, in), whose rows have one sign each → (rows, out) */
function productOf(x: Float32Array, weight: Float32Array): Float64Array {
  return Float64Array.from({ length: (x.length / INPUTS) * OUTPUTS }, (_, at) => {
    const [row, output] = [Math.floor(at / OUTPUTS), at % OUTPUTS];
    let sum = 0;
    for (let i = 0; i < INPUTS; i++) sum += x[row * INPUTS + i] * weight[output * INPUTS + i];
    return sum;
  });
}

/** All terms of a sum have one sign, so it is that of the magnitudes. A result that is not a number counts as infinitely wrong. */
function largestError(found: Float32Array, expected: Float64Array): number {
  return expected.reduce((worst, value, at) => {
    const error = Math.abs(found[at] / value - 1);
    return Math.max(worst, Number.isNaN(error) ? Infinity : error);
  }, 0);
}
