/** What results say of the kinds of blocks: every toy's, and the lists that schemas have. */
import assert from 'node:assert/strict';
import { FEED_FORWARD_KINDS, kindsOf, MIXER_KINDS } from '../../../src/engine/checkpoint/block-kinds';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { summarize } from '../../../src/engine/checkpoint/summary';
import { expertToy } from '../../support/expert-toy';
import { checkpointFolder } from '../../support/golden';
import { itShared } from '../../support/shared';

describe('kinds of blocks', () => {
  it('are of the two parts of each block', async () => {
    const { kinds } = summarize(await openCheckpoint(expertToy()));
    assert.deepEqual(
      kinds.map(({ block, attention, ffn }) => [block, attention, ffn]),
      [0, 1, 2, 3].map((block) => [block, 'attention', block === 1 ? 'dense' : 'experts']),
    );
    assert.ok(kinds.every(({ halves }) => halves === undefined));
  });

  itShared('have the halves of a parallel mixer, and every name is in the lists', async () => {
    for (const name of ['families3/granite4-hybrid', 'families3/falconh1-parallel'] as const) {
      const { architecture } = await openCheckpoint(checkpointFolder(name));
      const kinds = kindsOf(architecture!);
      for (const { attention, ffn, halves = [] } of kinds) {
        assert.ok(
          [attention, ...halves].every((kind) => MIXER_KINDS.includes(kind)) && FEED_FORWARD_KINDS.includes(ffn),
        );
        assert.deepEqual(halves, attention === 'parallel' ? ['attention', 'mamba'] : []);
      }
      assert.ok(
        new Set(kinds.map(({ attention }) => attention)).size === (name === 'families3/falconh1-parallel' ? 1 : 2),
      );
    }
  });
});
