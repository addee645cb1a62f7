/** Rounding to integers in blocks: what it gives, at its edges too. */
import assert from 'node:assert/strict';
import { BLOCK } from '../../../src/engine/onnx/ops/blocks';
import { quantiseRows } from '../../../src/engine/weights/blocks/quantise';
import { dequantised } from '../../support/blocks';
import { normal } from '../../support/random';

describe('quantising in blocks', () => {
  for (const bits of [4, 8] as const) {
    it(`${bits} bits: every number is within a step`, () => {
      for (const width of [32, 40, 12, 96]) {
        const next = normal(bits * width);
        const numbers = Float32Array.from({ length: 6 * width }, next);
        const rounded = dequantised(quantiseRows(numbers, width, bits), width, bits);
        for (const [i, value] of numbers.entries()) {
          const start = i - ((i % width) % BLOCK);
          const end = Math.min(start + BLOCK, i - (i % width) + width);
          const block = numbers.subarray(start, end);
          const step = (Math.max(0, ...block) - Math.min(0, ...block)) / (2 ** bits - 1);
          assert.ok(Math.abs(rounded[i] - value) <= step * (1 + 1e-6), `${i}: ${rounded[i]}, was ${value}`);
        }
      }
    });

    it(`${bits} bits: zeros, equal numbers, one sign`, () => {
      for (const value of [0, 1e-3, -7]) {
        const numbers = new Float32Array(64).fill(value);
        const rounded = dequantised(quantiseRows(numbers, 64, bits), 64, bits);
        for (const one of rounded) assert.ok(Math.abs(one - value) <= 1e-6 * Math.abs(value), `${one} for ${value}`);
      }
      const mixed = Float32Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? 0 : i - 16));
      const rounded = dequantised(quantiseRows(mixed, 32, bits), 32, bits);
      for (let i = 0; i < 32; i += 2) assert.equal(rounded[i], 0);
    });
  }
});
