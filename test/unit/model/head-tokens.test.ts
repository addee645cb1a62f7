/** How many tokens go through the head of a training together. */
import assert from 'node:assert/strict';
import { headTokens, logitsBytes } from '../../../src/engine/model/head-tokens';
import { architectureOf } from '../../support/checkpoint-files';

const words = (vocab_size: number, hidden_size: number): ReturnType<typeof architectureOf> =>
  architectureOf({ vocab_size, hidden_size, tie_word_embeddings: true });

describe('tokens in a head', () => {
  it('have 64 MiB of logits where it is frozen, and at most 1,024', () => {
    assert.deepEqual(
      [words(262_144, 640), words(49_152, 576), words(288, 64)].map((each) => headTokens(each)),
      [64, 341, 1024],
    );
  });

  it('have half the size of a large trained one, whose gradient comes with each run', () => {
    assert.equal(headTokens(words(262_144, 640), true), 320);
    assert.equal(logitsBytes(words(262_144, 640), true), 2 * 262_144 * 640);
    assert.deepEqual(
      [words(49_152, 576), words(288, 64)].map((each) => headTokens(each, true)),
      [341, 1024],
    );
    assert.equal(headTokens(words(262_144, 8192), true), 1024);
  });
});
