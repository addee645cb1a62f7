/** Token losses summed up, the bootstrap interval, and the baseline that looks at nothing. */
import assert from 'node:assert/strict';
import { scoreDeepest } from '../../../src/engine/importance/deepest';
import { bootstrapPerplexity, summariseLosses } from '../../../src/engine/importance/losses';
import { cosine } from '../../../src/engine/importance/residual';
import { assertClose } from '../../support/close';
import { normal } from '../../support/random';

describe('importance/losses', () => {
  it('mean over tokens, its exponential, and each row', () => {
    const summary = summariseLosses(Float64Array.of(1, 2, 3, 4, 5, 9), 3);
    assert.deepEqual(summary, { meanNll: 4, ppl: Math.exp(4), tokens: 6, rows: [2, 6] });
  });

  it('perplexities beyond every float are infinite, losses that are no number stay so', () => {
    assert.equal(summariseLosses(Float64Array.of(800, 800), 1).ppl, Infinity);
    assert.ok(Number.isNaN(summariseLosses(Float64Array.of(1, NaN), 2).ppl));
  });

  it('bootstrap: an interval around the perplexity, the same for the same seed', () => {
    const next = normal(4);
    const rows = Array.from({ length: 30 }, () => 3 + 0.5 * next());
    const { low, high } = bootstrapPerplexity(rows, 7);
    assert.deepEqual(bootstrapPerplexity(rows, 7), { low, high });
    assert.notDeepEqual(bootstrapPerplexity(rows, 8), { low, high });
    const mean = rows.reduce((a, b) => a + b) / rows.length;
    const deviation = Math.sqrt(rows.reduce((a, b) => a + (b - mean) ** 2, 0) / rows.length);
    const half = (1.96 * deviation) / Math.sqrt(rows.length); // what theory says for means of so many rows
    assertClose(Math.log(low), mean - half, { absolute: 0.25 * half }, 'low');
    assertClose(Math.log(high), mean + half, { absolute: 0.25 * half }, 'high');
  });

  it('bootstrap: rows that agree leave no doubt', () => {
    for (const rows of [[2], [2, 2, 2]]) {
      assert.deepEqual(bootstrapPerplexity(rows, 1), { low: Math.exp(2), high: Math.exp(2) });
    }
  });
});

describe('importance/residual cosine', () => {
  it('of vectors inside larger arrays', () => {
    const a = Float32Array.of(9, 1, 0, 3, 4);
    const b = Float32Array.of(9, 0, 2, 6, 8);
    assert.equal(cosine(a, b, 1, 2), 0);
    assert.equal(cosine(a, b, 3, 2), 1);
    assert.equal(
      cosine(
        a,
        a.map((x) => -x),
        3,
        2,
      ),
      -1,
    );
  });
});

describe('importance/deepest', () => {
  it('goes from the last but one to the first, then the last', () => {
    const { blocks, order } = scoreDeepest(5);
    assert.deepEqual(order, [3, 2, 1, 0, 4]);
    assert.deepEqual(
      blocks.map((b) => b.score),
      [3, 2, 1, 0, 4],
    );
    assert.deepEqual(scoreDeepest(1).order, [0]);
  });
});
