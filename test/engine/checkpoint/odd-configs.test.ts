/**
 * Configs that say more than one thing, or something that their model does not read: the losses are those of stock
 * transformers, and a checkpoint that is written from one means the same again.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { perplexityOfRows } from '../../../src/engine/evaluate/perplexity';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { writeModified } from '../../../src/engine/write/modified';
import { newRecord } from '../../../src/engine/records/record';
import { fullView, viewWithout, type View } from '../../../src/engine/model/view';
import { assertClose } from '../../support/close';
import { withModel } from '../../support/model';
import { ODD_CONFIGS, ODD_ROWS, writeOdd } from '../../support/odd-configs';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint } from '../../support/tiny-models';

const lossOf = (folder: string, view?: View): Promise<number> =>
  withModel(folder, async (model) => {
    const blocks = model.architecture.layers.length;
    return (await perplexityOfRows(model, ODD_ROWS, view ?? fullView(blocks))).meanNll;
  });

const configOf = (folder: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;

describe('odd configs mean what they mean to transformers', () => {
  for (const odd of ODD_CONFIGS) {
    it(`${odd.what}: ${odd.toy}`, async () => {
      const folder = writeOdd(odd);
      assertClose(await lossOf(folder), odd.loss, { absolute: 2e-5 }, 'mean loss');

      const out = join(temporaryFolder(), 'pruned');
      await writePruned(await openCheckpoint(folder), [1], out);
      assert.equal(await lossOf(out), await lossOf(folder, viewWithout(4, [{ block: 1 }])), 'pruned');
    });
  }

  it('a head that differs from the embedding is used, said, and written as one of its own', async () => {
    const folder = ownTinyCheckpoint('llama-gqa-tied', { storedHead: 'own' });
    const checkpoint = await openCheckpoint(folder);
    assert.equal(checkpoint.architecture!.tied, false);
    assert.match(checkpoint.notes.join(), /tie_word_embeddings .* lm_head\.weight; Coppice uses it/);
    const pruned = join(temporaryFolder(), 'pruned');
    await writePruned(checkpoint, [2], pruned);
    assert.equal(configOf(pruned).tie_word_embeddings, false);
    const merged = join(temporaryFolder(), 'merged');
    const record = newRecord({ kind: 'merge', inputs: [], settings: {}, results: {}, started: new Date() });
    const nothing = { removed: [], changes: [], notes: {} };
    await writeModified(checkpoint, { ...nothing, card: () => Promise.resolve(''), record: () => record }, merged, {});
    assert.equal(configOf(merged).tie_word_embeddings, false);
    assert.equal(await lossOf(merged), await lossOf(folder));
  });

  it('the embedding stored twice is one matrix, and stays so', async () => {
    const checkpoint = await openCheckpoint(ownTinyCheckpoint('llama-gqa-tied', { storedHead: 'copy' }));
    assert.equal(checkpoint.architecture!.tied, true);
    const pruned = join(temporaryFolder(), 'pruned');
    await writePruned(checkpoint, [2], pruned);
    assert.equal(configOf(pruned).tie_word_embeddings, true);
    assert.equal((await openCheckpoint(pruned)).architecture!.tied, true);
  });
});
