/** What scripts without types give: errors for the user, and no others. */
import assert from 'node:assert/strict';
import { gather, inspect, planRecipe, runPart, runRecipe, schemaOf, score } from '../../../src/library';

const WRONG: readonly unknown[] = [undefined, null, 5, [], 'text', '\0', { checkpoint: 'a\0b' }, { checkpoint: 5 }];

const MODEL = { checkpoint: './none' };
const ONE = { part: '1/2', record: 'part-1.json' };
const WRONG_AROUND = { name: 'UserError', what: 'What goes with the run cannot be used' };

describe('library: values of a wrong type', () => {
  for (const value of WRONG) {
    it(`are refused: ${JSON.stringify(value)}`, async () => {
      await assert.rejects(inspect(value as string), { name: 'UserError' });
      await assert.rejects(score(value as { checkpoint: string }), { name: 'UserError' });
      await assert.rejects(score({ checkpoint: './none' }, null as never), { name: 'UserError' });
      for (const recipe of [planRecipe, runRecipe]) {
        await assert.rejects(recipe(value as { recipe: string }), { name: 'UserError' });
        await assert.rejects(recipe({ recipe: value as string }), { name: 'UserError' });
      }
      await assert.rejects(gather(value as string[]), { name: 'UserError' });
      await assert.rejects(gather([value as string]), { name: 'UserError' });
      await assert.rejects(runPart('score', value as { checkpoint: string }, ONE), { name: 'UserError' });
      await assert.rejects(runPart('score', MODEL, { ...ONE, part: value as string }), { name: 'UserError' });
      await assert.rejects(runPart(value as 'score', MODEL, ONE), { name: 'UserError' });
      assert.throws(() => schemaOf(value as 'score'), { name: 'UserError' });
      if (value === undefined) return; // it is not given
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        const around = value as never;
        await assert.rejects(planRecipe({ recipe: 'none.coppice.json' }, around), WRONG_AROUND);
        await assert.rejects(runRecipe({ recipe: 'none.coppice.json' }, around), WRONG_AROUND);
        await assert.rejects(gather(['none'], around), WRONG_AROUND);
        await assert.rejects(runPart('score', MODEL, around), WRONG_AROUND);
      }
      const parts: object[] = [
        { set: value },
        { steps: value },
        { model: value },
        { programs: value },
        { folder: value },
      ];
      for (const part of parts) {
        if (value !== 'text' && !('set' in part)) continue;
        await assert.rejects(planRecipe({ recipe: 'none.coppice.json', ...part }), { name: 'UserError' });
      }
    });
  }

  it('are refused for the signal', async () => {
    const around = { signal: 5 as never };
    const calls = [score(MODEL, around), gather(['none'], around), planRecipe({ recipe: 'none' }, around)];
    for (const call of calls) await assert.rejects(call, /signal cannot be used/);
  });
});
