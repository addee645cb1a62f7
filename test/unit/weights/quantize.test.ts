/** Rounding to integers in blocks: what it gives, at its edges too. */
import assert from 'node:assert/strict';
import { BLOCK } from '../../../src/engine/onnx/ops/blocks';
import { quantizeRows } from '../../../src/engine/weights/blocks/quantize';
import { quantizeWithOffsets } from '../../../src/engine/weights/blocks/offsets';
import { dequantized, dequantizedWithOffsets } from '../../support/blocks';
import { normal } from '../../support/random';

describe('quantizing in blocks', () => {
  for (const bits of [4, 8] as const) {
    it(`${bits} bits: every number is within a step`, () => {
      for (const width of [32, 40, 12, 96]) {
        const next = normal(bits * width);
        const numbers = Float32Array.from({ length: 6 * width }, next);
        const rounded = dequantized(quantizeRows(numbers, width, bits), width, bits);
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
        const rounded = dequantized(quantizeRows(numbers, 64, bits), 64, bits);
        for (const one of rounded) assert.ok(Math.abs(one - value) <= 1e-6 * Math.abs(value), `${one} for ${value}`);
      }
      const mixed = Float32Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? 0 : i - 16));
      const rounded = dequantized(quantizeRows(mixed, 32, bits), 32, bits);
      for (let i = 0; i < 32; i += 2) assert.equal(rounded[i], 0);
    });
  }

  describe('with offsets', () => {
    it('keeps numbers that lie on a grid with any least number', () => {
      const width = 96;
      const next = normal(5);
      const numbers = new Float32Array(8 * width);
      const steps: number[] = [];
      for (let start = 0; start < numbers.length; start += BLOCK) {
        const [step, least] = [0.1 + Math.abs(next()), -1 - Math.min(13, 8 * Math.abs(next()))];
        const levels = Array.from({ length: BLOCK }, (_, i) =>
          i < 2 ? 15 * i : Math.min(15, Math.floor(Math.abs(7 * next()))),
        );
        levels.forEach((level, i) => (numbers[start + i] = least * step + level * step));
        steps.push(step);
      }
      const kept = dequantizedWithOffsets(quantizeWithOffsets(numbers, width), width);
      const without = dequantized(quantizeRows(numbers, width, 4), width, 4);
      let worst = 0;
      for (const [i, value] of numbers.entries()) {
        const row = steps.slice(Math.floor(i / width) * 3, Math.floor(i / width) * 3 + 3);
        // An offset is rounded to a 15th of the largest range of offsets in its row, which is one step of a block.
        const allowed = Math.max(...row) / 15;
        assert.ok(Math.abs(kept[i] - value) <= allowed, `${i}: ${kept[i]}, was ${value}`);
        worst = Math.max(worst, Math.abs(without[i] - value) / Math.max(...row));
      }
      assert.ok(worst > 0.3, `without offsets a number is off by ${worst} steps at most`);
    });

    it('rounds other numbers no worse than without', () => {
      const next = normal(6);
      const numbers = Float32Array.from({ length: 40 * 64 }, next);
      const error = (rounded: Float64Array): number =>
        rounded.reduce((sum, value, i) => sum + (value - numbers[i]) ** 2, 0);
      const withOffsets = error(dequantizedWithOffsets(quantizeWithOffsets(numbers, 64), 64));
      assert.ok(withOffsets < 1.02 * error(dequantized(quantizeRows(numbers, 64, 4), 64, 4)));
    });

    it('blocks of one number, of zeros, of one sign', () => {
      const numbers = new Float32Array(96);
      numbers.fill(-0.5, 32, 64);
      for (let i = 64; i < 96; i++) numbers[i] = 2 + i / 96;
      const kept = dequantizedWithOffsets(quantizeWithOffsets(numbers, 96), 96);
      assert.ok(kept.every(Number.isFinite));
      for (let i = 0; i < 64; i++) assert.ok(Math.abs(kept[i] - numbers[i]) < 0.1, `${i}: ${kept[i]}`);
    });
  });
});
