/** A model is called after what most of its blocks are, not after its embedding. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileTypeName } from '../../../src/engine/checkpoint/gguf/file-types';
import { mainDtype, typeWord } from '../../../src/engine/checkpoint/main-dtype';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

describe('the type of a model in a word', () => {
  it('is what a GGUF file says of itself, else the type of its blocks', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-gqa-tied', { tokenizer: true }));
    assert.equal(typeWord(checkpoint), 'BF16');
    const file = join(temporaryFolder(), 'toy.gguf');
    await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, { type: 'q4_1' }));
    const quantized = await openCheckpoint(file);
    assert.deepEqual([quantized.fileType, typeWord(quantized)], ['Q4_1', 'Q4_1']);
    const { fileType: _, ...untold } = quantized;
    assert.equal(typeWord(untold), 'Q4_1');
    assert.ok(mainDtype(quantized) !== undefined);
  });

  it('has the names of llama.cpp', () => {
    assert.deepEqual([0, 1, 7, 15, 18, 30, 32].map(fileTypeName), [
      'F32',
      'F16',
      'Q8_0',
      'Q4_K_M',
      'Q6_K',
      'IQ4_XS',
      'BF16',
    ]);
    assert.deepEqual([-1, 5, 1e6].map(fileTypeName), [undefined, undefined, undefined]);
  });
});
