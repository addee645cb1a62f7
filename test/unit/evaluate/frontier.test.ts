/** What is worth its bytes, what fits, and how sure that is. */
import assert from 'node:assert/strict';
import {
  bestWithin,
  fewestWithin,
  isApart,
  isEfficient,
  lossBehind,
  type SizedModel,
} from '../../../src/engine/evaluate/frontier';

const model = (bytes: number, ppl: number): SizedModel => ({ bytes, ppl });

describe('sizes against perplexity', () => {
  it('a file is worth its bytes if none is at most as large and better, by a count over all pairs', () => {
    const models = Array.from({ length: 60 }, (_, i) =>
      model(1 + ((i * 37) % 11), 30 - ((i * 37) % 11) + ((i * 53) % 7)),
    );
    for (const one of models) {
      const worse = models.filter(
        ({ bytes, ppl }) => (bytes < one.bytes && ppl <= one.ppl) || (bytes === one.bytes && ppl < one.ppl),
      );
      assert.equal(isEfficient(one, models), worse.length === 0, `${one.bytes} bytes, perplexity ${one.ppl}`);
    }
    const worth = models.filter((one) => isEfficient(one, models)).toSorted((a, b) => a.bytes - b.bytes);
    assert.ok(worth.length > 1);
    assert.ok(worth.every(({ bytes, ppl }, i) => i === 0 || bytes === worth[i - 1].bytes || ppl < worth[i - 1].ppl));
  });

  it('equal files stand side by side, and what has no finite perplexity has no place', () => {
    const [twin, other, broken, none] = [model(5, 9), model(5, 9), model(1, Infinity), model(1, NaN)];
    const all = [twin, other, broken, none];
    assert.deepEqual(
      all.map((each) => isEfficient(each, all)),
      [true, true, false, false],
    );
  });

  it('the best that fits has the lowest perplexity, of equal ones the smaller file', () => {
    const [small, large, best] = [model(3, 20), model(9, 5), model(6, 12)];
    assert.equal(bestWithin([small, large, best, model(7, 12), model(2, NaN)], 8), best);
    assert.equal(bestWithin([small, large], 9), large);
    assert.equal(bestWithin([small, large], 2), undefined);
  });

  it('the fewest blocks that fit are those of trying all of them, in few steps', async () => {
    for (const most of [0, 1, 2, 7, 30]) {
      for (let bytes = 95; bytes <= 205; bytes += 3) {
        let asked = 0;
        const sizeOf = (count: number): Promise<number> => {
          asked++;
          return Promise.resolve(200 - 3 * count);
        };
        const all = Array.from({ length: most + 1 }, (_, count) => count);
        const wanted = all.find((count) => 200 - 3 * count <= bytes);
        const found = await fewestWithin(bytes, most, sizeOf);
        assert.deepEqual(found, wanted === undefined ? undefined : { count: wanted, bytes: 200 - 3 * wanted });
        assert.ok(asked <= 2 + Math.ceil(Math.log2(most + 2)), `${asked} for ${most}`);
      }
    }
  });

  it('compares losses row by row with the interval of a paired t test', () => {
    const of = [2, 2.5, 3, 1.5];
    const rows = [2.1, 2.7, 3, 1.9];
    const behind = lossBehind(rows, of);
    // Differences 0.1, 0.2, 0, 0.4: mean 0.175, deviation 0.17078; t of 3 degrees of freedom at 97.5 % is 3.18245.
    assert.ok(Math.abs(behind.difference - 0.175) < 1e-12);
    assert.ok(Math.abs(behind.interval! - (3.18245 * 0.1707825) / 2) < 1e-5);
    assert.equal(isApart(behind), false);
    assert.equal(isApart(lossBehind([3.1, 3.6, 4, 2.6], of)), true);
    assert.deepEqual(lossBehind([2], [1.5]), { difference: 0.5, interval: null });
    assert.equal(isApart(lossBehind([2], [1.5])), false, 'a single row tells nothing');
  });
});
