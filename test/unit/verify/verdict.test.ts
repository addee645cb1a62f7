/** What of a comparison is damage, and which tokens of other programs are compared. */
import assert from 'node:assert/strict';
import { compareLogits, compareTokens } from '../../../src/engine/verify/compare';
import { sureTokens } from '../../../src/engine/verify/consumers/consumers';
import { EXACT_TOLERANCE, OVERFLOW, ROUNDED_TOLERANCE, verdictOf } from '../../../src/engine/verify/verdict';

type Measured = Parameters<typeof verdictOf>[0];

const LOGITS = { positions: 8, maxDifference: 1e-5, relative: 1e-6, meanKl: 0, top1: 1 };
const SAME: Measured = {
  logits: LOGITS,
  greedy: { tokens: 4, equal: true },
  margins: [1, 1, 1, 1],
  exact: true,
  weights: { tensors: 3, maxDifference: 0 },
};
const why = (change: Partial<Measured>): string | undefined => {
  const verdict = verdictOf({ ...SAME, ...change });
  assert.equal(verdict.passed, verdict.why === undefined);
  return verdict.why;
};
const logits = (change: Partial<typeof LOGITS>): Measured['logits'] => ({ ...LOGITS, ...change });

describe('the verdict on a written file', () => {
  it('has what was measured, and the tolerance that it was judged by', () => {
    assert.deepEqual(verdictOf(SAME), {
      ...LOGITS,
      greedy: SAME.greedy,
      weights: SAME.weights,
      exact: true,
      tolerance: EXACT_TOLERANCE,
      passed: true,
    });
    const { weights: _, ...without } = SAME;
    const rounded = verdictOf({ ...without, exact: false });
    assert.deepEqual([rounded.tolerance, 'weights' in rounded], [ROUNDED_TOLERANCE, false]);
  });

  it('lets an exact file differ by rounding of float32 alone', () => {
    assert.equal(why({ logits: logits({ maxDifference: EXACT_TOLERANCE }) }), undefined);
    assert.match(why({ logits: logits({ maxDifference: 2 * EXACT_TOLERANCE }) })!, /logits differ by up to 0\.00200/);
    assert.match(why({ logits: logits({ maxDifference: NaN }) })!, /logits differ/);
    assert.equal(why({ exact: false, logits: logits({ maxDifference: 5 }) }), undefined);
  });

  it('lets a rounded file differ by less than a wrong setting does', () => {
    const of = (relative: number): string | undefined => why({ exact: false, logits: logits({ relative }) });
    assert.equal(of(ROUNDED_TOLERANCE), undefined);
    assert.match(of(0.61)!, /differ by 0\.610 of their length/);
    assert.match(of(NaN)!, /differ by NaN/);
    // Its numbers make the difference, and they are those that the types give.
    const far = { exact: false, logits: logits({ relative: 0.9 }) };
    assert.equal(why({ ...far, isRounding: true }), undefined);
    assert.match(why({ ...far, isRounding: false })!, /0\.900 of their length/);
    assert.match(
      why({ ...far, isRounding: true, weights: { tensors: 3, maxDifference: 1, wrong: 'embed' } })!,
      /embed/,
    );
  });

  it('says of half precision that numbers left its range', () => {
    assert.equal(why({ exact: false, overflows: true }), OVERFLOW);
    assert.equal(why({ exact: false, overflows: false }), undefined);
  });

  it('names the tensor that is not the model’s, however near the logits are', () => {
    assert.match(why({ weights: { tensors: 3, maxDifference: 1, wrong: 'layers.1.q' } })!, /layers\.1\.q/);
    assert.match(why({ exact: false, weights: { tensors: 3, maxDifference: 1, wrong: 'embed' } })!, /embed/);
  });

  it('forgives another token at a tie, and nowhere else', () => {
    const greedy = { tokens: 4, equal: false, firstDifference: 2 };
    assert.match(why({ greedy })!, /token 3 of its continuation/);
    assert.equal(why({ greedy, margins: [1, 1, EXACT_TOLERANCE, 1] }), undefined);
    assert.equal(why({ greedy, exact: false }), undefined);
  });
});

describe('the logits of two models', () => {
  const rows = (...values: number[][]): Float32Array[] => values.map((row) => Float32Array.from(row));

  it('are the same where all words have something in common more', () => {
    const found = compareLogits(rows([1, 2, 3], [0, 4, 0]), rows([2, 3, 4], [0, 4, 0]));
    assert.deepEqual([found.positions, found.maxDifference, found.top1], [2, 1, 1]);
    assert.ok(found.relative < 1e-12 && found.meanKl < 1e-12);
  });

  it('are as far apart as their probabilities', () => {
    const found = compareLogits(rows([Math.log(3), 0]), rows([0, Math.log(3)]));
    // p = (3/4, 1/4), q = (1/4, 3/4): (3/4 − 1/4) ln 3 nats. Opposite vectors are twice their length apart.
    assert.ok(Math.abs(found.meanKl - 0.5 * Math.log(3)) < 1e-6);
    assert.ok(Math.abs(found.relative - 2) < 1e-6);
    assert.equal(found.top1, 0);
    assert.ok(Number.isNaN(compareLogits(rows([1, 2]), rows([NaN, 2])).maxDifference));
  });
});

describe('the tokens of another program', () => {
  it('are compared up to the first that is nearly as likely as another, or ends a text', () => {
    const greedy = [5, 6, 7, 8];
    assert.deepEqual(sureTokens(greedy, [3, 3, 3, 3], [2]), greedy);
    assert.deepEqual(sureTokens(greedy, [3, 3, 0.1, 3], [2]), [5, 6]);
    assert.deepEqual(sureTokens(greedy, [3, 3, 0.11, 3], [2]), greedy);
    assert.deepEqual(sureTokens(greedy, [3, 3, 3, 3], [6]), [5]);
    assert.deepEqual(sureTokens(greedy, [0, 3, 3, 3], []), []);
  });

  it('differ from the first other or missing one', () => {
    assert.deepEqual(compareTokens([5, 6], [5, 6, 9]), { tokens: 2, equal: true });
    assert.deepEqual(compareTokens([5, 6, 7], [5, 9, 7]), { tokens: 3, equal: false, firstDifference: 1 });
    assert.deepEqual(compareTokens([5, 6, 7], [5, 6]), { tokens: 3, equal: false, firstDifference: 2 });
    assert.deepEqual(compareTokens([], [1]), { tokens: 0, equal: true });
  });
});
