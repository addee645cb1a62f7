/** Findings that are not finite choose nothing. */
import assert from 'node:assert/strict';
import { BrokenScores, type Ranking, selectByScores } from '../../../src/engine/importance/ranking';

const select = (ranking: Ranking, count = 1): number[] => selectByScores(ranking, 3, count, new Set());
const refused = (why: RegExp) => (error: unknown) => error instanceof BrokenScores && why.test(error.why);

describe('prune/ranking', () => {
  it('refuses a whole model whose loss is not finite, whatever the findings are', () => {
    for (const baseline of [NaN, Infinity, -Infinity]) {
      for (const ranking of [
        { kind: 'scores', scores: [1, 2, 3] },
        { kind: 'windows', windows: [{ start: 0, size: 1, score: 0.1 }] },
        { kind: 'removals', removals: [1, 2] },
        { kind: 'set', set: [1] },
      ] as const) {
        assert.throws(() => select({ ...ranking, baseline }), refused(/loss of the original/));
        assert.equal(select({ ...ranking, baseline: 3 }).length, 1);
      }
    }
  });

  it('refuses blocks that would go for a score that is not finite, and only these', () => {
    const scores: Ranking = { kind: 'scores', scores: [NaN, 2, 1] };
    assert.deepEqual(select(scores, 2), [1, 2]);
    assert.throws(() => select({ kind: 'scores', scores: [NaN, 2, Infinity] }, 2), refused(/block 2 .* Infinity/));
    const windows = [NaN, NaN].map((score, start) => ({ start, size: 2, score }));
    assert.throws(() => select({ kind: 'windows', windows }, 2), refused(/NaN/));
    assert.deepEqual(select({ kind: 'windows', windows: [windows[0], { start: 1, size: 2, score: 1 }] }, 2), [1, 2]);
    const greedy: Ranking = { kind: 'removals', removals: [1, 0], losses: [2.5, NaN] };
    assert.deepEqual(select(greedy), [1]);
    assert.throws(() => select(greedy, 2), refused(/block 0 .* NaN/));
    assert.deepEqual(select({ kind: 'set', set: [0, 2], kl: 0.5 }, 2), [0, 2]);
    assert.throws(() => select({ kind: 'set', set: [0, 2], kl: NaN }, 2), refused(/divergence .* NaN/));
  });
});
