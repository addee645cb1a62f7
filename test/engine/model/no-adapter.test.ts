/** What takes gradients refuses a model with an adapter on top: it would score and train the model below. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { UserError } from '../../../src/engine/errors';
import { scoreTaylor } from '../../../src/engine/importance/criteria/taylor';
import { adapterPatches } from '../../../src/engine/adapter/adapter';
import { retrain } from '../../../src/engine/retrain/retrain';
import { randomAdapter } from '../../support/adapters';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';
import { loraSetup, withBackprop } from '../../support/training';

describe('a model with an adapter on top', () => {
  it('is neither scored by Taylor nor trained', async () => {
    const folder = tinyCheckpoint('llama-gqa-tied');
    const adapter = adapterPatches(randomAdapter(requireArchitecture(await openCheckpoint(folder))));
    const refusal = (error: unknown): boolean =>
      error instanceof UserError && error.what.includes('an adapter on the model') && error.action.includes('Merge');
    await withModel(
      folder,
      async (model) => {
        await assert.rejects(scoreTaylor(model, randomRows(2, 8, 288, 1)), refusal);
        const { trainable } = loraSetup(model);
        await assert.rejects(
          withBackprop(model, trainable, {}, () => Promise.resolve()),
          refusal,
        );
        const out = join(temporaryFolder(), 'out');
        await assert.rejects(retrain(model, { method: { kind: 'lora' }, data: [], out }, { removed: [] }), refusal);
      },
      { changes: [adapter] },
    );
  });
});
