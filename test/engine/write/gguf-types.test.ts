/** The types of a GGUF file's tensors: llama.cpp's own quantized files, byte for byte, and what no type can hold. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import { Overlay } from '../../../src/engine/weights/overlay';
import { checkpointWeights, withWeights } from '../../../src/engine/weights/checkpoint';
import { GGUF_TYPES } from '../../../src/engine/write/gguf/kinds';
import { llamaCppAdvice, oddNotes } from '../../../src/engine/write/gguf/types';
import { writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { openToy } from '../../support/model';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { type TinyName, tinyCheckpoint } from '../../support/tiny-models';

const toy = (name: TinyName): Promise<Checkpoint> => openToy(tinyCheckpoint(name, { tokenizer: true }));
const fresh = (): string => join(temporaryFolder(), 'model.gguf');

describe('write/gguf types', () => {
  it('quantizes the head finer, the embedding of an untied model like the rest', async () => {
    for (const [name, embed, head] of [
      ['llama-gqa-tied', 'Q8_0', undefined],
      ['qwen3-qknorm', 'Q4_1', 'Q8_0'],
    ] as const) {
      const checkpoint = await toy(name);
      const file = fresh();
      await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, { type: 'q4_1' }));
      const { tensors, metadata } = await openGguf(file);
      const types = new Map(tensors.map((tensor) => [tensor.name, tensor.dtype]));
      assert.deepEqual([types.get('token_embd.weight'), types.get('output.weight')], [embed, head]);
      assert.deepEqual([types.get('blk.1.attn_q.weight'), types.get('blk.1.attn_norm.weight')], ['Q4_1', 'F32']);
      const [type, version] = ['general.file_type', 'general.quantization_version'].map((key) => metadata.get(key));
      assert.deepEqual([type?.value, type?.type, version?.value, version?.type], [3, 'u32', 2, 'u32']);
    }
  });

  it('says which matrices stay in 16 bits', () => {
    const tensors = [
      { name: 'token_embd.weight', dtype: 'Q8_0', shape: [320, 512] },
      { name: 'a', dtype: 'F16', shape: [64, 172] },
      { name: 'b', dtype: 'Q4_0', shape: [64, 64] },
    ];
    assert.match(oddNotes('q4_0', tensors).join(), /^1 matrix has rows that are no multiple of 32/);
    assert.deepEqual(oddNotes('f16', tensors), []);
    assert.deepEqual(oddNotes(undefined, tensors), []);
  });

  it('refuses numbers that have no scale, by the name of the tensor', async () => {
    const checkpoint = await toy('llama-gqa-tied');
    for (const [value, why] of [
      [NaN, /holds NaN/],
      [-Infinity, /holds -Infinity/],
      [1e7, /scale would become infinite/],
    ] as const) {
      const values = new Float32Array(64 * 96).fill(0.5);
      values[777] = value;
      const weights = new Overlay(checkpointWeights(checkpoint), [
        [
          { layer: 1, name: 'down' },
          { kind: 'replace', values },
        ],
      ]);
      try {
        await assert.rejects(
          writeGguf(checkpoint, weights, fresh(), { type: 'q8_0' }),
          (error) =>
            error instanceof UserError && error.what.includes('"blk.1.ffn_down.weight"') && why.test(error.why),
        );
      } finally {
        await weights.close();
      }
    }
  });

  it('leaves other types to llama.cpp, with the command', () => {
    assert.match(llamaCppAdvice('IQ4_XS', 'small.gguf')!.action, /llama-quantize small-f16\.gguf small\.gguf IQ4_XS$/);
    for (const type of GGUF_TYPES) assert.equal(llamaCppAdvice(type), undefined);
  });
});

describeShared('write/gguf types against llama.cpp', () => {
  for (const type of ['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'bf16', 'f16', 'f32'] as const) {
    it(`${type} of stories260K has the tensors of llama.cpp's own file, byte for byte`, async () => {
      const checkpoint = await openToy(shared('models/stories260K-f32'));
      const file = fresh();
      await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, { type }));
      const theirs = shared(`models/stories260K-gguf/stories260K-${type}.gguf`);
      const [ours, reference] = [await openGguf(file), await openGguf(theirs)];
      const [ourBytes, theirBytes] = [readFileSync(file), readFileSync(theirs)];
      const byName = new Map(ours.tensors.map((tensor) => [tensor.name, tensor]));
      assert.equal(byName.size, reference.tensors.length);
      for (const { name, dtype, shape, offset, bytes } of reference.tensors) {
        const found = byName.get(name)!;
        assert.deepEqual([found.dtype, found.shape, found.bytes], [dtype, shape, bytes], name);
        const same = ourBytes
          .subarray(found.offset, found.offset + bytes)
          .equals(theirBytes.subarray(offset, offset + bytes));
        assert.ok(same, name);
      }
      assert.equal(ours.metadata.get('general.file_type')?.value, reference.metadata.get('general.file_type')?.value);
    });
  }
});
