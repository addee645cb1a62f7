/** The numbers of quantized blocks, against ggml's own bit for bit. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { BLOCK_TYPES, isBlockType } from '../../../src/engine/formats/dtype';
import { dequantize } from '../../../src/engine/formats/gguf/dequantize';
import { widen } from '../../../src/engine/formats/widen';
import { numbersOf } from '../../../src/engine/formats/numbers';
import { describeShared, shared } from '../../support/shared';

interface Golden {
  readonly types: Readonly<Record<string, { readonly bytes: string; readonly float32: string }>>;
}

describeShared('quantized blocks', () => {
  const { types } = JSON.parse(readFileSync(shared('golden/gguf/dequant.json'), 'utf8')) as Golden;

  it('have golden numbers for every type', () => {
    assert.deepEqual(Object.keys(types).filter(isBlockType).sort(), [...BLOCK_TYPES].sort());
  });

  for (const [type, golden] of Object.entries(types)) {
    it(`of ${type} are what ggml makes of them, bit for bit`, () => {
      const bytes = Buffer.from(golden.bytes, 'base64');
      const expected = Buffer.from(golden.float32, 'base64');
      const values = new Float32Array(expected.length / 4);
      if (isBlockType(type)) dequantize(bytes, type, values);
      else widen(bytes, type as 'F16' | 'BF16', values);
      assert.deepEqual(Buffer.from(values.buffer), expected);
      const shown = numbersOf(type as 'F16')!(bytes);
      assert.deepEqual(Float32Array.from(shown), values, 'as statistics read them');
    });
  }

  it('are refused where bytes and numbers do not fit', () => {
    assert.throws(() => dequantize(new Uint8Array(19), 'Q4_0', new Float32Array(32)), /19 bytes of Q4_0/);
    assert.throws(() => dequantize(new Uint8Array(18), 'Q4_0', new Float32Array(33)), /18 bytes of Q4_0/);
  });
});
