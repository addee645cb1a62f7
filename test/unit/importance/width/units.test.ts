/** Which units stay: ties, multiples, and ratios for sizes. */
import assert from 'node:assert/strict';
import { OptionError } from '../../../../src/engine/errors';
import { leastRatio, ratioOfSize } from '../../../../src/engine/importance/width/size';
import {
  aboveOrBest,
  fromThreshold,
  inMultiples,
  nearestMultiple,
  withoutLowest,
} from '../../../../src/engine/importance/width/units';

const scores = (...values: number[]): Float64Array => Float64Array.from(values);

describe('units of a block', () => {
  it('lose the lowest scores, of equal ones those with the lower index', () => {
    assert.deepEqual(withoutLowest(scores(3, 1, 2, 1, 5), 1), [0, 2, 3, 4]);
    assert.deepEqual(withoutLowest(scores(3, 1, 2, 1, 5), 3), [0, 4]);
    assert.deepEqual(withoutLowest(scores(3, 1, 2), 0), [0, 1, 2]);
  });

  it('all stay that equal a threshold of a uniform ratio', () => {
    assert.deepEqual(fromThreshold(scores(3, 1, 2, 1, 5), 1), [0, 1, 2, 3, 4]);
    assert.deepEqual(fromThreshold(scores(3, 1, 2, 1, 5), 2), [0, 2, 4]);
  });

  it('stay above a threshold; the best one stays where none is above', () => {
    assert.deepEqual(aboveOrBest(scores(3, 1, 2), 1), [0, 2]);
    assert.deepEqual(aboveOrBest(scores(-3, -1, -2), 0), [1]);
  });

  it('come in the nearest multiple, at least one, and never more than there are', () => {
    assert.deepEqual(
      [129, 132, 140, 3, 170, 172].map((kept) => nearestMultiple(kept, 172, 8)),
      [128, 136, 144, 8, 168, 172],
    );
    assert.equal(nearestMultiple(100, 172, 256), 100, 'a block narrower than the multiple');
    assert.equal(nearestMultiple(100, 172, undefined), 100);
  });

  it('of a multiple are the next best in addition, or the worst go too', () => {
    const own = { groups: scores(1), neurons: scores(7, 1, 6, 2, 5, 3, 4, 0) };
    const kept = (neurons: number[]): readonly number[] => inMultiples({ groups: [0], neurons }, own, 4).neurons;
    assert.deepEqual(kept([0, 2, 4]), [0, 2, 4, 6]);
    assert.deepEqual(kept([0, 2, 4, 5, 6]), [0, 2, 4, 6]);
    assert.deepEqual(kept([0, 1, 2, 3, 4, 5, 6, 7]), [0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('the ratio of a size', () => {
  /** 100 units of 10 parameters, and 50 parameters that stay; at least one unit stays. */
  const size = (ratio: number): number => 50 + 10 * Math.max(1, 100 - Math.floor(100 * ratio));

  it('is that of the nearest model, in few digits', () => {
    assert.equal(size(ratioOfSize(700, size, 1050)), 700);
    assert.equal(size(ratioOfSize(704, size, 1050)), 700);
    assert.equal(size(ratioOfSize(706, size, 1050)), 710);
    assert.ok(String(ratioOfSize(704, size, 1050)).length <= 5);
    assert.equal(size(ratioOfSize(60, size, 1050)), 60, 'the smallest');
  });

  it('is refused where no ratio reaches it, with the range', () => {
    for (const target of [59, 1050, 5000]) {
      assert.throws(
        () => ratioOfSize(target, size, 1050),
        (error) => error instanceof OptionError && error.why.includes('60 to 1,050'),
      );
    }
  });

  it('is the least one from which something holds', () => {
    assert.equal(
      leastRatio((ratio) => ratio > 1 / 3),
      0.334,
    );
    assert.equal(
      leastRatio(() => false),
      undefined,
    );
  });
});
