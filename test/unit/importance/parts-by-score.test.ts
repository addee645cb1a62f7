/** Modules by the scores that each has alone: up to the last that fits, and none whose score is broken. */
import assert from 'node:assert/strict';
import { partsByScore } from '../../../src/engine/importance/parts-by-score';
import { BrokenScores } from '../../../src/engine/importance/ranking';
import type { Half } from '../../../src/engine/model/view';

/** An attention takes 1, an FFN 3. @param scores attention and FFN of each block */
function chosen(scores: readonly number[], size: number, kept: readonly number[] = []): string {
  const modules = scores.map((score, i) => {
    const part: Half = i % 2 === 0 ? 'attention' : 'ffn';
    return { block: i >> 1, part, score };
  });
  const room = { takes: ({ attention, ffn }: { attention: boolean; ffn: boolean }) => +attention + 3 * +ffn, size };
  return partsByScore(modules, room, new Set(kept), 'cannot remove so much')
    .map(({ block, part }) => `${block}.${part}`)
    .join();
}

describe('modules by score', () => {
  it('go up to the last that fits, and what is kept stays', () => {
    assert.equal(chosen([5, 1, 2, 4], 5), '0.ffn,1.attention', '1.ffn does not fit, and nothing after it goes');
    assert.equal(chosen([5, 1, 2, 4], 4), '0.ffn,1.attention');
    assert.equal(chosen([5, 1, 2, 4], 1, [0]), '1.attention');
    assert.throws(() => chosen([5, 1, 2, 4], 2), /least important module is more than that/);
    assert.throws(() => chosen([5, 1, 2, 4], 8), /all that may go is less than that/);
  });

  it('do not go for a score that is not finite', () => {
    assert.equal(chosen([NaN, 1, 2, 4], 7), '0.ffn,1.attention,1.ffn');
    assert.throws(() => chosen([NaN, 1, 2, 4], 8), BrokenScores);
    assert.throws(() => chosen([-Infinity, NaN], 3.5), BrokenScores);
  });
});
