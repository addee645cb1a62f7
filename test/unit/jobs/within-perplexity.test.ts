/** Where a curve of perplexities crosses a limit. */
import assert from 'node:assert/strict';
import { withinPerplexity } from '../../../src/jobs/within-perplexity';

const points = [
  { removed: [], ppl: 20 },
  { removed: [4], ppl: 22 },
  { removed: [4, 6], ppl: 26 },
  { removed: [3, 4, 6], ppl: 30 },
  { removed: [3, 4, 5, 6], ppl: 25 },
];

describe('as many blocks as a limit of the perplexity allows', () => {
  it('is the last point before the curve crosses the limit', () => {
    assert.deepEqual(withinPerplexity(points, 1.2), [4]);
    assert.deepEqual(withinPerplexity(points, 1.3), [4, 6]); // exactly 26
    assert.deepEqual(withinPerplexity(points, 2), [3, 4, 5, 6]);
  });

  it('is none where the first block is one too many, or a perplexity is not finite', () => {
    assert.deepEqual(withinPerplexity(points, 1.05), []);
    assert.deepEqual(withinPerplexity([points[0], { removed: [4], ppl: 'NaN' }], 5), []);
    assert.deepEqual(withinPerplexity([{ removed: [], ppl: 'Infinity' }, points[1]], 0.5), [4]); // everything is less
  });
});
