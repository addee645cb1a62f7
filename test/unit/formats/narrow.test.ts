/** Rounding float32 numbers to the types that weights are stored in. */
import assert from 'node:assert/strict';
import { narrow, OVERFLOW } from '../../../src/engine/formats/narrow';
import { widen } from '../../../src/engine/formats/widen';
import { toBfloat16, toFloat16 } from '../../support/half';
import { uniform } from '../../support/random';

/** Bits that a value is stored as. */
function bitsOf(value: number, dtype: 'F16' | 'BF16'): number {
  return Buffer.from(narrow(Float32Array.of(value), dtype, new Uint8Array(2))).readUInt16LE();
}

describe('checkpoint/narrow', () => {
  for (const [dtype, reference] of [
    ['F16', toFloat16],
    ['BF16', toBfloat16],
  ] as const) {
    it(`gives every ${dtype} back, and rounds what lies between to the nearest, ties to even`, () => {
      const all = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
      const values = widen(all, dtype, new Float32Array(65536));
      const back = new Uint16Array(narrow(values, dtype, new Uint8Array(131072)).buffer);
      for (let i = 0; i < 65536; i++) {
        if (Number.isNaN(values[i]))
          assert.ok(Number.isNaN(widen(Buffer.from(back.slice(i, i + 1).buffer), dtype, new Float32Array(1))[0]));
        else assert.equal(back[i], i);
        const next = values[i + 1];
        if (!Number.isFinite(values[i]) || !Number.isFinite(next)) continue;
        for (const share of [0.5, 0.499, 0.501]) {
          const between = Math.fround(values[i] + share * (next - values[i]));
          assert.equal(bitsOf(between, dtype), reference(between), `${between}`);
        }
      }
    });

    it(`agrees on random ${dtype}s of all sizes, and overflows where it says`, () => {
      const next = uniform(3);
      for (let i = 0; i < 20_000; i++) {
        const value = Math.fround((next() - 0.5) * 2 ** (next() * 280 - 150));
        assert.equal(bitsOf(value, dtype), reference(value), `${value}`);
      }
      const infinite = dtype === 'F16' ? 0x7c00 : 0x7f80;
      assert.equal(bitsOf(OVERFLOW[dtype], dtype), infinite);
      assert.equal(bitsOf(Math.fround(OVERFLOW[dtype] * (1 - 2 ** -23)), dtype), infinite - 1);
      assert.equal(bitsOf(-Infinity, dtype), infinite | 0x8000);
    });
  }

  it('stores float32 as it is', () => {
    const values = Float32Array.of(0, -0, 1 / 3, -Infinity, 1e-45);
    assert.deepEqual(widen(narrow(values, 'F32', new Uint8Array(20)), 'F32', new Float32Array(5)), values);
    assert.equal(Math.fround(OVERFLOW.F32), Infinity);
    assert.ok(Number.isFinite(Math.fround(OVERFLOW.F32 * (1 - 2 ** -50))));
  });
});
