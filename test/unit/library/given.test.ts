/** What scripts without types give: errors for the user, and no others. */
import assert from 'node:assert/strict';
import { inspect, score } from '../../../src/library';

const WRONG: readonly unknown[] = [undefined, null, 5, [], 'text', '\0', { checkpoint: 'a\0b' }, { checkpoint: 5 }];

describe('library: values of a wrong type', () => {
  for (const value of WRONG) {
    it(`are refused: ${JSON.stringify(value)}`, async () => {
      await assert.rejects(inspect(value as string), { name: 'UserError' });
      await assert.rejects(score(value as { checkpoint: string }), { name: 'UserError' });
      await assert.rejects(score({ checkpoint: './none' }, null as never), { name: 'UserError' });
    });
  }
});
