/** How far the numbers of a file may be from the model's: as far as its type rounds, and no further. */
import assert from 'node:assert/strict';
import { dequantize } from '../../../src/engine/formats/gguf/dequantize';
import { K_TYPES } from '../../../src/engine/formats/gguf/k-quants/quantize';
import { isKQuant, quantize, QUANTIZED_TYPES } from '../../../src/engine/formats/gguf/quantize';
import { bytesOfElements } from '../../../src/engine/formats/gguf/types';
import { compareNumbers } from '../../../src/engine/verify/weights';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../support/half';
import { normal } from '../../support/random';

const COUNT = 64 * 32;

const blockOf = (type: string): number => (isKQuant(type) ? 256 : 32);

/** Blocks of several magnitudes, down to scales that halves hardly have; with blocks of zeros, of one number, and with one large number among small ones. */
function numbers(size = 32): Float32Array {
  const next = normal(7);
  const values = Float32Array.from({ length: COUNT }, (_, i) => next() * 10 ** ((Math.floor(i / size) % 9) - 6));
  values.fill(0, 0, size);
  values.fill(0.375, size, 2 * size);
  values[2 * size + 6] = 1000;
  return values;
}

const wide = (values: Float32Array): Float64Array => Float64Array.from(values);

const stored: Readonly<Record<string, (values: Float32Array) => Float32Array>> = {
  F32: (values) => values.slice(),
  F16: (values) => values.map((value) => fromFloat16(toFloat16(value))),
  BF16: (values) => values.map((value) => fromBfloat16(toBfloat16(value))),
  ...Object.fromEntries(
    QUANTIZED_TYPES.map((type) => [
      type,
      (values: Float32Array) => {
        const bytes = new Uint8Array(bytesOfElements(type, COUNT));
        return dequantize(quantize(values, type, bytes), type, new Float32Array(COUNT));
      },
    ]),
  ),
};

/** The block of ordinary numbers. */
const ORDINARY = 6;
const AT = ORDINARY * 32;

describe('the numbers of a written file', () => {
  for (const [type, store] of Object.entries(stored)) {
    it(`may be off by what ${type} rounds`, () => {
      const values = numbers(blockOf(type));
      const found = store(values);
      const { most, isWrong } = compareNumbers(wide(values), found, { type });
      assert.equal(isWrong, false);
      assert.equal(most, Math.max(...Array.from(found, (value, i) => Math.abs(value - values[i]))));
      assert.equal(most === 0, type === 'F32');
    });

    it(`may not be off by more than ${type} rounds, one of them either`, () => {
      const size = blockOf(type);
      const at = ORDINARY * size;
      const values = numbers(size);
      const found = store(values);
      const block = values.subarray(at, at + size);
      const largest = Math.max(...block.map(Math.abs));
      const i = at + block.findIndex((value) => Math.abs(value) === largest);
      // Two units of a float's last place; a step of a block where half a one is rounding, else two, of K-quants four.
      const units: Readonly<Record<string, number>> = { F32: 2 ** -22, F16: 2 ** -9, BF16: 2 ** -6 };
      const steps: Readonly<Record<string, number>> = {
        ...{ Q8_0: 254, Q4_0: 8, Q5_0: 16, Q4_1: 15, Q5_1: 31, IQ4_NL: 127 / 23 },
        ...{ Q2_K: 3 / 2, Q3_K: 4 / 2, Q4_K: 15 / 2, Q5_K: 31 / 2, Q6_K: 32 / 2 },
      };
      const off = largest * (units[type] ?? 2 / steps[type]);
      found[i] = values[i] + off;
      assert.equal(compareNumbers(wide(values), found, { type }).isWrong, true);
      found[i] = NaN;
      assert.equal(compareNumbers(wide(values), found, { type }).isWrong, true);
    });
  }

  const draw: Readonly<Record<string, (next: () => number) => number>> = {
    'with long tails': (next) => next() / (Math.abs(next()) + 0.02),
    'with outliers': (next) => next() * (Math.abs(next()) > 2.2 ? 20 : 1),
    'of one sign': (next) => Math.abs(next()),
    'that are 1 or −1': (next) => (next() < 0 ? 1 : -1),
    'far from zero': (next) => 5 + next(),
    'most of which are small': (next) => next() ** 5,
  };
  for (const type of [...K_TYPES, 'IQ4_NL'] as const) {
    it(`may be off by what the search for ${type} leaves, whatever they are`, () => {
      for (const [kind, of] of Object.entries(draw)) {
        const next = normal(9);
        const values = Float32Array.from({ length: COUNT }, () => of(next));
        assert.equal(compareNumbers(wide(values), stored[type](values), { type }).isWrong, false, kind);
      }
    });
  }

  it('may be off by their block’s range where they count little, and the matrix by half of its length', () => {
    const values = numbers();
    const found = values.slice();
    const largest = Math.max(...values.subarray(AT, AT + 32).map(Math.abs));
    found[AT] += largest;
    const length = { differences: 0, numbers: 0 };
    assert.equal(compareNumbers(wide(values), found, { type: 'Q4_0' }).isWrong, true);
    assert.equal(compareNumbers(wide(values), found, { type: 'Q4_0', isWeighed: true }, length).isWrong, false);
    assert.ok(Math.abs(length.differences - largest ** 2) < 1e-6 * largest ** 2);
    found[AT] += 2 * largest;
    assert.equal(compareNumbers(wide(values), found, { type: 'Q4_0', isWeighed: true }).isWrong, true);
    assert.equal(compareNumbers(wide(values), found, { type: 'Q8_0', isWeighed: true }).isWrong, true);
  });

  it('are the same where a type is copied', () => {
    const values = numbers();
    assert.equal(compareNumbers(wide(values), values, { type: 'IQ4_XS' }).isWrong, false);
    const found = values.slice();
    found[AT] *= 1 + 2 ** -20;
    assert.equal(compareNumbers(wide(values), found, { type: 'IQ4_XS' }).isWrong, true);
    assert.equal(compareNumbers(wide(values), found).isWrong, true);
  });

  it('are not those of a neighbour', () => {
    for (const [type, store] of Object.entries(stored)) {
      const size = blockOf(type);
      const at = ORDINARY * size;
      const values = numbers(size);
      const found = store(values);
      [found[at], found[at + size]] = [found[at + size], found[at]];
      assert.equal(compareNumbers(wide(values), found, { type }).isWrong, true, type);
    }
  });
});

describe('numbers that a file has larger by 1, as it has the norms of Gemma', () => {
  const through = (type: 'F32' | 'F16', values: Float32Array): Float32Array =>
    stored[type](values.map((value) => value + 1)).map((value) => value - 1);

  for (const type of ['F32', 'F16'] as const) {
    it(`are as exact as ${type} has their sums, and no less`, () => {
      const small = numbers().map((value) => value / 1000);
      const found = through(type, small);
      assert.ok(compareNumbers(wide(small), found, { type }).isWrong, 'the numbers themselves would be more exact');
      assert.ok(!compareNumbers(wide(small), found, { type, above: 1 }).isWrong);
      found[AT] += type === 'F32' ? 2 ** -22 : 2 ** -9;
      assert.ok(compareNumbers(wide(small), found, { type, above: 1 }).isWrong);
    });
  }
});
