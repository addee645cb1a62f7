/** What removing blocks can bring is said before any work, from headers alone. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { summarize } from '../../../src/engine/checkpoint/summary';
import { savingWords } from '../../../src/jobs/saving-words';

const model = { blocks: 18, tied: true, format: 'gguf' } as const;

describe('what removing blocks can bring', () => {
  it('is little where the embedding is most of the file', () => {
    assert.equal(
      savingWords({ ...model, shares: { blocks: 0.28, embedding: 0.72 } }),
      '72 % of this file is the embedding: removing blocks can save 28 % at most.',
    );
    assert.equal(
      savingWords({ ...model, format: 'safetensors', tied: false, shares: { blocks: 0.5, embedding: 0.48 } }),
      '48 % of this model are embedding and head: removing blocks can save 50 % at most.',
    );
  });

  it('is the share of a block elsewhere, and nothing for a model that can only be inspected', async () => {
    const sample = summarize(await openCheckpoint(resolve(import.meta.dirname, '../../../media/sample')));
    assert.equal(savingWords(sample), 'The blocks are 88 % of this model: removing one of 12 saves about 7.4 %.');
    assert.equal(savingWords({ ...model, shares: null }), undefined);
  });
});
