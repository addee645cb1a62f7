/** Stored weights to float32: every 16-bit pattern there is, from any place in a buffer. */
import assert from 'node:assert/strict';
import { widen } from '../../../src/engine/formats/widen';
import { fromBfloat16, fromFloat16 } from '../../support/half';

/** All 65 536 patterns, little-endian, at an odd place of a larger buffer. */
function everyHalf(): Uint8Array {
  const bytes = new Uint8Array(2 * 65536 + 1);
  const view = new DataView(bytes.buffer);
  for (let bits = 0; bits < 65536; bits++) view.setUint16(1 + 2 * bits, bits, true);
  return bytes.subarray(1);
}

describe('checkpoint/widen', () => {
  for (const [dtype, from] of [
    ['F16', fromFloat16],
    ['BF16', fromBfloat16],
  ] as const) {
    it(`${dtype}: exact for every pattern`, () => {
      const widened = widen(everyHalf(), dtype, new Float32Array(65536));
      widened.forEach((value, bits) => assert.ok(Object.is(value, from(bits)), `${bits.toString(16)}: ${value}`));
    });
  }

  it('F32: as it is, at any alignment, into a part of an array', () => {
    const bytes = new Uint8Array(9);
    new DataView(bytes.buffer).setFloat32(1, Math.fround(0.1), true);
    new DataView(bytes.buffer).setFloat32(5, -0, true);
    const into = new Float32Array(4).fill(7);
    widen(bytes.subarray(1), 'F32', into.subarray(1, 3));
    assert.deepEqual([...into], [7, Math.fround(0.1), -0, 7]);
  });

  it('nothing else', () => {
    assert.throws(() => widen(new Uint8Array(1), 'I8', new Float32Array(1)), /I8/);
  });
});
