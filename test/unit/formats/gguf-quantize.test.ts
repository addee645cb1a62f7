/** Quantizing as ggml's reference does: its own bytes, and the definition written out for one block at a time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { quantize, type QuantizedDtype, SIMPLE_TYPES } from '../../../src/engine/formats/gguf/quantize';
import { bytesOfElements } from '../../../src/engine/formats/gguf/types';
import { toFloat16 } from '../../support/half';
import { normal, uniform } from '../../support/random';
import { describeShared, shared } from '../../support/shared';

const f = Math.fround;
const TYPES = SIMPLE_TYPES;
const made = (values: Float32Array, dtype: QuantizedDtype): Uint8Array =>
  quantize(values, dtype, new Uint8Array(bytesOfElements(dtype, values.length)));

const halfBytes = (value: number): number[] => [toFloat16(value) & 255, toFloat16(value) >> 8];
const truncated = (value: number): number => (Number.isFinite(value) ? Math.trunc(value) : 0);

/** Nibbles of elements i and i + 16 in a byte; the fifth bits, as one little-endian number, before them. */
function packed(quants: readonly number[], five: boolean): number[] {
  const fifths = quants.reduce((sum, q, i) => sum + (q >= 16 ? 2 ** i : 0), 0);
  const head = five ? [0, 8, 16, 24].map((shift) => Math.floor(fifths / 2 ** shift) % 256) : [];
  return [...head, ...Array.from({ length: 16 }, (_, i) => (quants[i] % 16) + 16 * (quants[i + 16] % 16))];
}

/** One block, as the formats are defined. */
function literal(block: readonly number[], dtype: QuantizedDtype): number[] {
  if (dtype === 'Q8_0') {
    const d = f(Math.max(...block.map(Math.abs)) / 127);
    const quants = block.map((x) => {
      const scaled = d === 0 ? 0 : f(x * f(1 / d));
      return (Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5) + 256) % 256;
    });
    return [...halfBytes(d), ...quants];
  }
  const five = dtype.startsWith('Q5');
  const levels = five ? 32 : 16;
  if (dtype.endsWith('_0')) {
    const largest = block.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
    const d = f(largest / (-levels / 2));
    const id = d === 0 ? 0 : f(1 / d);
    const quants = block.map((x) => Math.min(levels - 1, truncated(f(f(x * id) + levels / 2 + 0.5))));
    return [...halfBytes(d), ...packed(quants, five)];
  }
  const least = Math.min(...block);
  const d = f(f(Math.max(...block) - least) / (levels - 1));
  const id = d === 0 ? 0 : f(1 / d);
  const quants = block.map((x) => Math.min(levels - 1, truncated(f(f(f(x - least) * id) + 0.5))));
  return [...halfBytes(d), ...halfBytes(least), ...packed(quants, five)];
}

describe('formats/gguf/quantize', () => {
  for (const dtype of TYPES) {
    it(`${dtype} is its definition, for numbers of all sizes and for coarse ones with many ties`, () => {
      const [gauss, flat] = [normal(7), uniform(8)];
      const blocks = Array.from({ length: 300 }, (_, block) => {
        const size = 2 ** (flat() * 60 - 45);
        const coarse = block % 3 === 0;
        return Array.from({ length: 32 }, () => f(size * (coarse ? Math.round(8 * gauss()) : gauss())));
      });
      const found = made(Float32Array.from(blocks.flat()), dtype);
      const bytes = bytesOfElements(dtype, 32);
      blocks.forEach((block, i) => {
        assert.deepEqual([...found.subarray(i * bytes, (i + 1) * bytes)], literal(block, dtype), `block ${i}`);
      });
    });

    it(`${dtype} takes whole blocks only`, () => {
      assert.throws(
        () => quantize(new Float32Array(31), dtype, new Uint8Array(bytesOfElements(dtype, 32))),
        /31 numbers/,
      );
      assert.throws(() => quantize(new Float32Array(32), dtype, new Uint8Array(1)), /1 bytes/);
    });
  }
});

interface Golden {
  readonly float32: string;
  readonly types: Readonly<Record<QuantizedDtype, { readonly bytes: string }>>;
}

describeShared('formats/gguf/quantize against ggml', () => {
  const golden = JSON.parse(readFileSync(shared('golden/gguf/quantize.json'), 'utf8')) as Golden;
  const raw = Buffer.from(golden.float32, 'base64');
  const values = Float32Array.from({ length: raw.length / 4 }, (_, i) => raw.readFloatLE(4 * i));
  for (const dtype of TYPES) {
    it(`${dtype} has the bytes of ggml's reference`, () => {
      const expected = Buffer.from(golden.types[dtype].bytes, 'base64');
      assert.equal(values.length, 12 * 32);
      assert.ok(Buffer.from(made(values, dtype)).equals(expected));
      const bytes = bytesOfElements(dtype, 32);
      for (let i = 0; i < 12; i++) {
        const block = [...values.subarray(32 * i, 32 * i + 32)];
        assert.deepEqual(literal(block, dtype), [...expected.subarray(bytes * i, bytes * (i + 1))], `block ${i}`);
      }
    });
  }
});
