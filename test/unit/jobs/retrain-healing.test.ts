/** What a training goes on from after the healing before it: the healed weights, or the plain ones where healing did not help. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { UserError } from '../../../src/engine/errors';
import type { OptionsFor } from '../../../src/jobs/kinds';
import type { JobContext } from '../../../src/jobs/run';
import { healFirst } from '../../../src/jobs/runs/retrain-healing';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

describe('the healing before a training', () => {
  // Healing improves every toy, so its outcome is given here.
  for (const weights of ['healed', 'plain'] as const) {
    it(`that keeps the ${weights} weights`, async () => {
      const out = join(temporaryFolder(), 'out');
      const run = () => Promise.resolve({ result: { weights }, results: {} });
      const options = {
        checkpoint: tinyCheckpoint('llama-plain'),
        out,
        data: ['text.txt'],
        remove: [1],
        heal: 'first',
      };
      const found = await healFirst(
        options as unknown as OptionsFor<'retrain'>,
        { job: {}, run } as unknown as JobContext,
      );
      assert.equal(found.healing?.weights, weights);
      const file = join(`${out}.training`, 'healed.patch.safetensors');
      assert.equal(found.patch, weights === 'healed' ? file : undefined);
    });
  }

  it('that is not possible is a warning by default, and an error where it is asked for', async () => {
    const fails = () => Promise.reject(new UserError('Cannot heal this model', 'it has no way', 'Leave it.'));
    const warnings: string[] = [];
    const context = { job: {}, run: fails, warn: (text: string) => warnings.push(text) } as unknown as JobContext;
    const options = (heal?: string) =>
      ({
        checkpoint: tinyCheckpoint('llama-plain'),
        out: join(temporaryFolder(), 'out'),
        data: ['text.txt'],
        remove: [1],
        heal,
      }) as unknown as OptionsFor<'retrain'>;
    assert.deepEqual(await healFirst(options(), context), {});
    assert.match(warnings.join(), /trained without healing them first: Cannot heal this model: it has no way/);
    await assert.rejects(healFirst(options('first'), context), /Cannot heal this model/);
  });
});
