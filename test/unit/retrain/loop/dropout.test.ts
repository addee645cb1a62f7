/** Dropout's masks: their rate and values, and that they are a function of seed and place alone. */
import assert from 'node:assert/strict';
import { DropoutMasks, type MaskPlace } from '../../../../src/engine/retrain/loop/dropout';

const PLACE: MaskPlace = { step: 1, row: 0, block: 0, site: 0 };
const masks = new DropoutMasks(0.05, 1234);
const mask = (place: Partial<MaskPlace> = {}, length = 4096, from = masks): Float32Array => {
  const into = new Float32Array(length);
  from.fill(into, { ...PLACE, ...place });
  return into;
};

describe('retrain/dropout', () => {
  it('drops the share it should, and scales what is left so that the mean stays', () => {
    for (const rate of [0.05, 0.5]) {
      const drawn = mask({}, 200_000, new DropoutMasks(rate, 7));
      const kept = Math.fround(1 / (1 - rate));
      assert.ok(drawn.every((value) => value === 0 || value === kept));
      const dropped = drawn.filter((value) => value === 0).length / drawn.length;
      const deviation = Math.sqrt((rate * (1 - rate)) / drawn.length);
      assert.ok(Math.abs(dropped - rate) < 4 * deviation, `${dropped} dropped at ${rate}`);
    }
    assert.ok(mask({}, 100, new DropoutMasks(0, 7)).every((value) => value === 1));
  });

  it('are the same for the same seed and place, whatever was drawn before', () => {
    const again = new DropoutMasks(0.05, 1234);
    mask({ step: 9 }, 100, again);
    assert.deepEqual(mask({}, 4096, again), mask());
  });

  it('of a shorter row are the start of those of a longer one', () => {
    assert.deepEqual(mask({ row: 3 }, 1000), mask({ row: 3 }).subarray(0, 1000));
  });

  it('differ by seed, step, row, block and site, and do not go with one another', () => {
    const others = [
      mask({}, 4096, new DropoutMasks(0.05, 1235)),
      mask({ step: 2 }),
      mask({ row: 1 }),
      mask({ block: 1 }),
      mask({ site: 1 }),
      mask({ row: 1, block: 1 }),
    ];
    const all = [mask(), ...others].map((drawn) => drawn.map((value) => Number(value === 0)));
    for (const [i, a] of all.entries()) {
      for (const b of all.slice(i + 1)) {
        const both = a.reduce((sum, value, j) => sum + value * b[j], 0);
        assert.ok(both < 40, `${both} elements dropped by both, 10 expected`); // 4096 · 0.05²
      }
    }
  });

  it('go round the end of the sequence', () => {
    const places = Array.from({ length: 400 }, (_, row) => mask({ row }, 20_000));
    assert.ok(places.every((drawn) => drawn.every((value) => value === 0 || value > 1)));
  });
});
