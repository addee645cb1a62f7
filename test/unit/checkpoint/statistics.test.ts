/** Statistics of a tensor against plain arithmetic, for every type that has real numbers. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dtype } from '../../../src/engine/formats/dtype';
import { numbersOf } from '../../../src/engine/formats/numbers';
import { tensorStatistics } from '../../../src/engine/checkpoint/statistics';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { normal } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';

/** A tensor somewhere inside a file. */
function tensorOf(bytes: Uint8Array, dtype: Dtype, shape: readonly number[]) {
  const file = join(temporaryFolder(), 'data');
  writeFileSync(file, Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]));
  return { name: 't', dtype, shape, file, offset: 6, bytes: bytes.length };
}

const bytesOf = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

describe('tensor statistics', () => {
  it('are those of the numbers', async () => {
    const next = normal(1);
    // More than one piece of a read, and a mean far from zero.
    const values = Float32Array.from({ length: 1_200_000 }, () => 1000 + next());
    values.set([0, 0, NaN, Infinity, -Infinity], 17);
    const found = await tensorStatistics(tensorOf(bytesOf(values), 'F32', [1200, 1000]));
    const finite = values.filter((v) => Number.isFinite(v));
    const mean = finite.reduce((sum, v) => sum + v, 0) / finite.length;
    const variance = finite.reduce((sum, v) => sum + (v - mean) ** 2, 0) / finite.length;
    assert.equal(found.elements, 1_200_000);
    assert.deepEqual([found.zeros, found.nan, found.infinite], [2, 1, 2]);
    assert.equal(found.min, 0);
    assert.equal(
      found.max,
      finite.reduce((a, b) => Math.max(a, b)),
    );
    assert.ok(Math.abs(found.mean! - mean) < 1e-9);
    assert.ok(Math.abs(found.standardDeviation! - Math.sqrt(variance)) < 1e-9);
    assert.equal(found.histogram.length, 64);
    assert.equal(
      found.histogram.reduce((a, b) => a + b),
      finite.length,
    );
    assert.equal(found.histogram[0], 2);
  });

  it('of equal numbers, of none and of no finite ones', async () => {
    const of = (values: number[]) =>
      tensorStatistics(tensorOf(bytesOf(Float32Array.from(values)), 'F32', [values.length]));
    const equal = await of([3, 3, 3]);
    assert.deepEqual([equal.min, equal.max, equal.mean, equal.standardDeviation, equal.histogram[0]], [3, 3, 3, 0, 3]);
    for (const none of [await of([]), await of([NaN, Infinity])]) {
      assert.deepEqual([none.min, none.max, none.mean, none.standardDeviation], [null, null, null, null]);
    }
  });

  it('can be cancelled, and refuses what packs several numbers into a byte', async () => {
    const tensor = tensorOf(new Uint8Array(64), 'F32', [16]);
    await assert.rejects(tensorStatistics(tensor, { signal: AbortSignal.abort() }), CancelledError);
    await assert.rejects(tensorStatistics({ ...tensor, dtype: 'F4' }), UserError);
  });
});

describe('numbers of every type', () => {
  const numbers = (dtype: Dtype, bytes: readonly number[]): number[] => [...numbersOf(dtype)!(Uint8Array.from(bytes))];

  it('integers and booleans', () => {
    assert.deepEqual(numbers('I8', [0xff, 0x80, 0x7f]), [-1, -128, 127]);
    assert.deepEqual(numbers('U8', [0xff]), [255]);
    assert.deepEqual(numbers('BOOL', [0, 1]), [0, 1]);
    assert.deepEqual(numbers('I16', [0xfe, 0xff]), [-2]);
    assert.deepEqual(numbers('U16', [0xfe, 0xff]), [65534]);
    assert.deepEqual(numbers('I32', [0, 0, 0, 0x80]), [-(2 ** 31)]);
    assert.deepEqual(numbers('U32', [0, 0, 0, 0x80]), [2 ** 31]);
    assert.deepEqual(numbers('I64', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), [-1]);
    assert.deepEqual(numbers('U64', [0, 0, 0, 0, 1, 0, 0, 0]), [2 ** 32]);
  });

  it('halves, doubles and eight-bit floats', () => {
    assert.deepEqual(numbers('F16', [0x00, 0x3c, 0x00, 0xfc]), [1, -Infinity]);
    assert.deepEqual(numbers('BF16', [0x80, 0x3f]), [1]);
    assert.deepEqual(numbers('F64', [0, 0, 0, 0, 0, 0, 0xf0, 0xbf]), [-1]);
    // OCP 8-bit formats: largest, smallest subnormal, one, infinity or NaN
    assert.deepEqual(numbers('F8_E4M3', [0x7e, 0x01, 0x38, 0xb8, 0x7f]), [448, 2 ** -9, 1, -1, NaN]);
    assert.deepEqual(numbers('F8_E5M2', [0x7b, 0x01, 0x3c, 0x7c, 0xfc, 0x7e]), [
      57344,
      2 ** -16,
      1,
      Infinity,
      -Infinity,
      NaN,
    ]);
    assert.deepEqual(numbers('F8_E8M0', [127, 130, 0, 255]), [1, 8, 2 ** -127, NaN]);
  });

  it('none for complex and packed types', () => {
    for (const dtype of ['C64', 'F4', 'F6_E2M3', 'F6_E3M2'] as const) assert.equal(numbersOf(dtype), undefined);
  });
});
