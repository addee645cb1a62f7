/** Token losses summed up, the bootstrap interval, and the baseline that looks at nothing. */
import assert from 'node:assert/strict';
import { scoreDeepest } from '../../../src/engine/importance/criteria/deepest';
import { bootstrapPerplexity, pairedPerplexity, summariseLosses } from '../../../src/engine/importance/losses';
import { Random } from '../../../src/engine/random';
import { cosine, countZeros } from '../../../src/engine/importance/residual';
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

/** Rows of a model and of a variant of it: texts differ by 0.5 nats, the variant costs 0.1 ± 0.02. */
function pairedRows(rows: number): { full: { rows: number[]; ppl: number }; variant: { rows: number[] } } {
  const next = normal(11);
  const full = Array.from({ length: rows }, () => 3.7 + 0.5 * next());
  return {
    full: { rows: full, ppl: Math.exp(full.reduce((a, b) => a + b) / rows) },
    variant: { rows: full.map((loss) => loss + 0.1 + 0.02 * next()) },
  };
}

describe('importance/losses, paired', () => {
  it('is the bootstrap of both models over the same resampled rows, computed the long way', () => {
    const { full, variant } = pairedRows(12);
    const random = new Random(1234);
    const ratios: number[] = [];
    for (let draw = 0; draw < 1000; draw++) {
      const some = full.rows.map(() => random.below(full.rows.length));
      const perplexity = (of: readonly number[]): number =>
        Math.exp(some.reduce((sum, row) => sum + of[row], 0) / some.length);
      ratios.push(perplexity(variant.rows) / perplexity(full.rows));
    }
    ratios.sort((a, b) => a - b);
    const { pairedLow, pairedHigh } = pairedPerplexity(variant, full, 1234);
    assertClose(pairedLow, full.ppl * ratios[25], { relative: 1e-12 }, 'low');
    assertClose(pairedHigh, full.ppl * ratios[974], { relative: 1e-12 }, 'high');
  });

  it('is as wide as theory says for the mean of the differences, however much texts differ', () => {
    const { full, variant } = pairedRows(40);
    const differences = variant.rows.map((loss, row) => loss - full.rows[row]);
    const mean = differences.reduce((a, b) => a + b) / differences.length;
    const deviation = Math.sqrt(differences.reduce((a, b) => a + (b - mean) ** 2, 0) / differences.length);
    const half = (1.96 * deviation) / Math.sqrt(differences.length);
    const { pairedLow, pairedHigh } = pairedPerplexity(variant, full, 7);
    assertClose(Math.log(pairedLow / full.ppl), mean - half, { absolute: 0.25 * half }, 'low');
    assertClose(Math.log(pairedHigh / full.ppl), mean + half, { absolute: 0.25 * half }, 'high');
    const { low, high } = bootstrapPerplexity(variant.rows, 7);
    assert.ok(pairedLow > full.ppl, 'tells the block from the whole model');
    assert.ok(low < full.ppl && full.ppl < high, 'which the perplexity alone does not');
  });

  it('a variant that costs every row the same is known exactly; the model beside itself costs nothing', () => {
    const { full } = pairedRows(9);
    const same = pairedPerplexity({ rows: full.rows }, full, 3);
    assert.deepEqual(same, { pairedLow: full.ppl, pairedHigh: full.ppl });
    const { pairedLow, pairedHigh } = pairedPerplexity({ rows: full.rows.map((loss) => loss + 0.25) }, full, 3);
    for (const end of [pairedLow, pairedHigh]) assertClose(end, full.ppl * Math.exp(0.25), { relative: 1e-12 }, 'end');
  });

  it('says nothing where a loss is no number', () => {
    const full = { rows: [3, NaN, 4], ppl: NaN };
    assert.deepEqual(pairedPerplexity({ rows: [3, 4, 5] }, full, 1), { pairedLow: NaN, pairedHigh: NaN });
    const { low, high } = bootstrapPerplexity([3, NaN, 4], 1);
    assert.ok(Number.isNaN(low) && Number.isNaN(high));
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

describe('importance/residual zeros', () => {
  it('have no direction: unchanged beside zeros, a right angle beside anything else', () => {
    const a = Float32Array.of(0, 0, 0, 0, 3, 4);
    const b = Float32Array.of(0, 0, 1, 2, 0, 0);
    assert.deepEqual(
      [0, 2, 4].map((at) => cosine(a, b, at, 2)),
      [1, 0, 0],
    );
    assert.ok(Number.isNaN(cosine(Float32Array.of(0, 0), Float32Array.of(NaN, 1), 0, 2)));
    assert.equal(countZeros(a, 2), 2);
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
