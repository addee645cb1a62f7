/** The random numbers: known answers of xoshiro128** (computed apart, in Python integers), and evenness. */
import assert from 'node:assert/strict';
import { Random } from '../../src/engine/random';

const draws = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.uint32());

describe('random', () => {
  it('is xoshiro128**', () => {
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ];
    assert.deepEqual(draws(new Random([1, 2, 3, 4]), 10), expected);
  });

  it('spreads seeds by splitmix32, all 53 bits of them', () => {
    assert.deepEqual(draws(new Random(0), 4), [3809008728, 1133695204, 53579671, 2891528803]);
    assert.deepEqual(draws(new Random(1234), 4), [1927626933, 2777857285, 1362201715, 1134824276]);
    assert.deepEqual(draws(new Random(2 ** 53 - 1), 4), [1190966055, 18953708, 2651531223, 3195149008]);
    assert.notDeepEqual(draws(new Random(1), 4), draws(new Random(1 + 2 ** 32), 4));
    for (const seed of [-1, 0.5, NaN, 2 ** 53]) assert.throws(() => new Random(seed), RangeError);
  });

  it('draws below n without bias, to both ends', () => {
    const random = new Random(5);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.below(7)]++;
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, counts.join()); // 5 standard deviations
    // Three quarters of 2^32: a plain remainder would draw the first third twice as often.
    const n = 3 * 2 ** 30;
    const low = Array.from({ length: 30_000 }, () => random.below(n)).filter((draw) => draw < n / 3).length;
    assert.ok(Math.abs(low - 10_000) < 500, String(low));
    assert.equal(random.below(1), 0);
    assert.ok(random.below(2 ** 32) < 2 ** 32);
    for (const bad of [0, -1, 1.5, 2 ** 32 + 1]) assert.throws(() => random.below(bad), RangeError);
  });

  it('draws uniform numbers in [0, 1)', () => {
    const random = new Random(6);
    const numbers = Array.from({ length: 10_000 }, () => random.uniform());
    assert.ok(numbers.every((x) => x >= 0 && x < 1));
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    assert.ok(Math.abs(mean - 0.5) < 0.015, String(mean));
  });

  it('shuffles every order equally often', () => {
    const random = new Random(7);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random.shuffle(['a', 'b', 'c']).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    assert.equal(counts.size, 6);
    for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 150);
  });
});
