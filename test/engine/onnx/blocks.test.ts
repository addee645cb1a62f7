/**
 * Products with weights in blocks, against their definition in float64: integers minus zero point times scale, and an input
 * that the operator may round to 8 bits in each block.
 */
import assert from 'node:assert/strict';
import { BLOCK, type BlockBits } from '../../../src/engine/onnx/ops/blocks';
import { quantizeRows } from '../../../src/engine/weights/blocks/quantize';
import { quantizeWithOffsets } from '../../../src/engine/weights/blocks/offsets';
import { dequantized, dequantizedWithOffsets, runBlockLinear } from '../../support/blocks';
import { normal } from '../../support/random';

describe('weights in blocks', () => {
  for (const bits of [4, 8] as const) {
    for (const [width, out, tokens] of [
      [64, 48, 1],
      [96, 17, 3],
      [40, 7, 1],
      [12, 5, 2],
      [576, 33, 5],
    ]) {
      it(`${bits} bits, ${tokens} × ${width} × ${out}`, async () => {
        const next = normal(width + bits);
        const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, next);
        const rows = quantizeRows(numbers(out * width), width, bits);
        const [x, bias] = [numbers(tokens * width), numbers(out)];
        checkProduct(
          await runBlockLinear(x, rows, width, bits, { bias }),
          { x, bias },
          dequantized(rows, width, bits),
          width,
        );
      });
    }
  }

  it('with offsets: the product with numbers and offsets', async () => {
    const [tokens, width, out] = [3, 576, 33];
    const next = normal(9);
    const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, next);
    const rows = quantizeWithOffsets(numbers(out * width), width);
    const [x, bias] = [numbers(tokens * width), numbers(out)];
    const y = await runBlockLinear(x, rows, width, 4, { bias, hasOffsets: true });
    checkProduct(y, { x, bias }, dequantizedWithOffsets(rows, width), width);
  });

  it('sums of the largest integers do not overflow', async () => {
    for (const bits of [4, 8] as const) {
      const rows = extreme(bits);
      const x = new Float32Array(256).fill(1);
      const y = await runBlockLinear(x, rows, 256, bits);
      const expected = dequantized(rows, 256, bits).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(y[0] - expected) <= 1e-5 * expected, `${bits} bits: ${y[0]}, expected ${expected}`);
    }
  });
});

/** Eight blocks of the largest integer with zero point 0. */
function extreme(bits: BlockBits): ReturnType<typeof quantizeRows> {
  const bytes = (256 * bits) / 8;
  return {
    values: new Uint8Array(bytes).fill(255),
    scales: new Float32Array(8).fill(1),
    zeros: new Uint8Array(bits),
  };
}

/** Each result is off by at most what rounding the input by half a step gives, and all of them by less in the mean. */
function checkProduct(
  y: Float32Array,
  { x, bias }: { readonly x: Float32Array; readonly bias: Float32Array },
  weight: Float64Array,
  width: number,
): void {
  const out = bias.length;
  let [off, allowedInAll] = [0, 0];
  for (const [at, actual] of y.entries()) {
    const [token, row] = [Math.floor(at / out), at % out];
    let [expected, allowed] = [bias[row], 1e-5];
    for (let i = 0; i < width; i++) {
      const block = i - (i % BLOCK);
      const inputs = x.subarray(token * width + block, token * width + Math.min(block + BLOCK, width));
      const step = Math.max(...inputs.map(Math.abs)) / 127;
      const factor = weight[row * width + i];
      expected += x[token * width + i] * factor;
      allowed += (step / 2) * Math.abs(factor);
    }
    assert.ok(
      Math.abs(actual - expected) <= allowed,
      `result ${at}: ${actual}, expected ${expected} within ${allowed}`,
    );
    off += Math.abs(actual - expected);
    allowedInAll += allowed;
  }
  assert.ok(off <= allowedInAll / 2, `off by ${off} in all, allowed ${allowedInAll / 2}`);
}
