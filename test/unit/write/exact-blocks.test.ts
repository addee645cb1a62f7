/** Blocks of a quantized file stay what they are; other numbers are rounded as ever. */
import assert from 'node:assert/strict';
import { quantizeRows } from '../../../src/engine/weights/blocks/quantize';
import { exactOrRounded } from '../../../src/engine/write/onnx/exact-blocks';
import { dequantized } from '../../support/blocks';
import { normal, uniform } from '../../support/random';

/** Blocks of integers from `least` to `most`, each times a scale of half precision, which may be negative. */
function multiples(blocks: number, least: number, most: number): Float32Array {
  const next = uniform(blocks + most);
  const numbers = Array.from({ length: blocks }, () => {
    const scale = Math.round((next() - 0.5) * 2048) * 2 ** -14;
    return Array.from({ length: 32 }, () => scale * (least + Math.floor(next() * (most - least + 1))) + 0); // no −0
  });
  return Float32Array.from(numbers.flat());
}

describe('write/onnx, blocks that are blocks already', () => {
  for (const [type, bits, least, most] of [
    ['Q4_0', 4, -8, 7],
    ['Q4_0', 8, -8, 7],
    ['Q5_0', 8, -16, 15],
    ['Q8_0', 8, -127, 127],
    ['of few levels', 4, -1, 1],
  ] as const) {
    it(`${type} in ${bits} bits, bit for bit`, () => {
      const numbers = multiples(600, least, most);
      const found = dequantized(exactOrRounded(numbers, 96, bits), 96, bits);
      assert.deepEqual(Float32Array.from(found), numbers);
      const rounded = dequantized(quantizeRows(numbers, 96, bits), 96, bits);
      assert.notDeepEqual(Float32Array.from(rounded), numbers, 'rounding would change them');
    });
  }

  it('zeros, and rows whose last block is not full', () => {
    assert.deepEqual(new Set(dequantized(exactOrRounded(new Float32Array(64), 32, 4), 32, 4)), new Set([0]));
    const numbers = Float32Array.from(multiples(6, -8, 7).filter((_, i) => i % 64 < 40));
    assert.deepEqual(Float32Array.from(dequantized(exactOrRounded(numbers, 40, 4), 40, 4)), numbers);
  });

  it('other numbers are rounded as ever', () => {
    const numbers = Float32Array.from({ length: 960 }, normal(5));
    for (const bits of [4, 8] as const) {
      assert.deepEqual(exactOrRounded(numbers, 96, bits), quantizeRows(numbers, 96, bits));
    }
  });
});
