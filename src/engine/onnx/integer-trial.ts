/**
 * Which products of 8-bit integers this processor computes right. Without VNNI, kernels add two products of bytes in 16 bits,
 * which overflow and saturate, silently: 255 · 127 + 255 · 127 > 32767. Weights of 7 bits do not get there.
 *
 * Products on known numbers decide, once in a process: sums of integers are exact, so any difference is a fault.
 */
import { Graph } from './graph';
import { integerProduct, type WeightLevels } from './ops/quantized';
import { float32, floats, openSession, uint8 } from './session';

export interface IntegerArithmetic {
  /** Largest magnitude of a rounded weight; undefined if int8 products cannot be used. */
  readonly levels?: WeightLevels;
  /** In words, for the device report. */
  readonly why: string;
}

/** Rows of the tried products: kernels for one row and for many differ. */
const ROWS = [1, 5, 64];
/** More than one tile of the kernels, and not a multiple of one. */
const INPUTS = 200;
const OUTPUTS = 70;

let found: Promise<IntegerArithmetic> | undefined;

/** The arithmetic of the CPU. */
export function integerArithmetic(): Promise<IntegerArithmetic> {
  return (found ??= tryLevels(isExact));
}

/** @param exact whether products with weights up to these levels are right */
export async function tryLevels(exact: (levels: WeightLevels) => Promise<boolean>): Promise<IntegerArithmetic> {
  if (await exact(127)) return { levels: 127, why: 'int8 products with weights of 8 bits' };
  if (await exact(63))
    return { levels: 63, why: 'int8 products with weights of 7 bits: those of 8 bits saturate here' };
  return { why: 'no int8 products: they are wrong on this processor' };
}

async function isExact(levels: WeightLevels): Promise<boolean> {
  // The largest magnitudes everywhere, with signs that let sums grow in one column and cancel in the next.
  const weight = Int8Array.from({ length: INPUTS * OUTPUTS }, (_, at) => {
    const [input, output] = [Math.floor(at / OUTPUTS), at % OUTPUTS];
    return output % 3 === 0 || input % (output + 1) === 0 ? levels : -levels;
  });
  const g = new Graph();
  const values = g.input('x', 'uint8', ['tokens', INPUTS]);
  const scales = g.input('scales', 'float32', ['tokens', 1]);
  const stored = {
    values: g.bytes('int8', weight, [INPUTS, OUTPUTS]),
    scales: g.floats(new Float32Array(OUTPUTS).fill(1), [OUTPUTS]),
  };
  g.output('y', integerProduct(g, { values, scales }, stored));
  const session = await openSession(g.serialize(), { provider: 'cpu', prepack: true });
  try {
    for (const rows of ROWS) {
      const x = Uint8Array.from({ length: rows * INPUTS }, (_, at) => (at % 7 === 3 ? 1 : 255));
      const { y } = await session.run({
        x: uint8(x, [rows, INPUTS]),
        scales: float32(new Float32Array(rows).fill(1), [rows, 1]),
      });
      if (floats(y).some((value, at) => value !== sumAt(x, weight, Math.floor(at / OUTPUTS), at % OUTPUTS)))
        return false;
    }
    return true;
  } finally {
    await session.close();
  }
}

/** Σ (x − 128) · w of one output, below 2²⁴, so that float32 has it exactly. */
function sumAt(x: Uint8Array, weight: Int8Array, row: number, output: number): number {
  let sum = 0;
  for (let i = 0; i < INPUTS; i++) sum += (x[row * INPUTS + i] - 128) * weight[i * OUTPUTS + output];
  return sum;
}
