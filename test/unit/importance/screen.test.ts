/** Screens with made-up numbers: what is confirmed, and that the exact part is what all exact numbers give. */
import assert from 'node:assert/strict';
import { marginOf, NO_SPREAD } from '../../../src/engine/importance/margin';
import { marginAt, screen, type Screened, type ScreenOptions } from '../../../src/engine/importance/screen';
import { rankBlocks } from '../../../src/engine/importance/select';
import { Random } from '../../../src/engine/random';

interface Found extends Screened {
  readonly batches: readonly (readonly number[])[];
}

/** Screens made-up numbers, and checks that the `exact` first of all exact numbers were confirmed. */
async function screened(
  exact: readonly number[],
  rough: readonly number[],
  options: ScreenOptions,
  [full, roughFull] = [0, 0],
): Promise<Found> {
  const batches: (readonly number[])[] = [];
  const found = await screen({ full: roughFull, without: rough }, options, (some) => {
    batches.push(some);
    return Promise.resolve({ full, without: some.map((k) => exact[k]) });
  });
  const { counts = () => true } = options;
  const first = rankBlocks(exact).filter((k) => counts(k) && Number.isFinite(exact[k]));
  for (const k of first.slice(0, options.exact)) assert.ok(found.confirmed.includes(k), `${k} is not confirmed`);
  assert.deepEqual(
    batches.flat().sort((a, b) => a - b),
    found.confirmed,
    'each once',
  );
  for (const batch of batches)
    assert.deepEqual(
      batch,
      [...batch].sort((a, b) => a - b),
      'ascending',
    );
  return { ...found, batches };
}

/** Numbers of a normal distribution, by Box and Muller. */
function normal(random: Random): number {
  const [u, v] = [(random.below(1e6) + 1) / 1e6, random.below(1e6) / 1e6];
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
}

describe('a screen', () => {
  it('leaves what is far away to the screen', async () => {
    const exact = [0.5, 0.1, 0.9, 0.2, 1.5, 0.3, 2, 3, 4, 5];
    const rough = exact.map((value, k) => value + 1 + 0.001 * (k % 3));
    const { confirmed, shift, margin } = await screened(exact, rough, { exact: 3 }, [0, 1.001]);
    assert.deepEqual(confirmed, [0, 1, 3, 5], 'three errors and that of the model are too few for a margin');
    assert.ok(Math.abs(shift + 1.001) < 0.001);
    assert.ok(margin > 0.001 && margin < 0.02, String(margin));
  });

  it('confirms what the margin reaches, in one more batch', async () => {
    const exact = [...Array(20).keys()].map((k) => 0.01 * k);
    const rough = exact.map((value, k) => value + 0.004 * (k % 2));
    const { batches, margin } = await screened(exact, rough, { exact: 6 });
    assert.equal(batches.length, 2);
    assert.deepEqual(batches[0], [0, 1, 2, 3, 4, 5]);
    assert.ok(batches[1][0] === 6 && batches[1].length < 6, `${batches[1].join()} within ${margin}`);
  });

  it('finds the right ones behind a screen that is worth nothing', async () => {
    const random = new Random(3);
    for (let run = 0; run < 50; run++) {
      const exact = Array.from({ length: 24 }, () => random.below(1000) / 1000);
      const rough = exact.map(() => random.below(1000) / 1000);
      const { confirmed } = await screened(exact, rough, { exact: 8 });
      assert.equal(confirmed.length, 24);
    }
  });

  it('finds the right ones whatever the size of its errors', async () => {
    const random = new Random(7);
    let confirmed = 0;
    for (let run = 0; run < 200; run++) {
      const size = 0.05 * 4 ** (run % 4);
      const exact = Array.from({ length: 30 }, () => (random.below(1000) / 1000) ** 2);
      const rough = exact.map((value) => value + 0.3 + size * 0.1 * normal(random));
      confirmed += (await screened(exact, rough, { exact: 10 }, [0, 0.3])).confirmed.length;
    }
    assert.ok(confirmed / 200 < 25, `confirms ${confirmed / 200} of 30`);
  });

  it('confirms what ties with the last one', async () => {
    const exact = [1, 1, 1, 1, 1, 1, 2, 3];
    const { confirmed } = await screened(exact, exact, { exact: 4 });
    assert.deepEqual(confirmed, [0, 1, 2, 3, 4, 5]);
  });

  it('is not misled by an error that all models share', async () => {
    const exact = [...Array(12).keys()];
    const rough = exact.map((value) => value + 7);
    const { confirmed, margin } = await screened(exact, rough, { exact: 4 }, [0, 7]);
    assert.deepEqual(confirmed, [0, 1, 2, 3]);
    assert.ok(margin < 1e-3);
  });

  it('takes no error from a whole model that is what is measured', async () => {
    const exact = [...Array(12).keys()].map((k) => 0.1 * (k + 1));
    const rough = exact.map((value, k) => value + 0.4 + 0.001 * (k % 2));
    const all = await screened(exact, rough, { exact: 4 });
    assert.ok(all.confirmed.length > 8, 'its error is unlike the others');
    const { confirmed, shift } = await screened(exact, rough, { exact: 4, isMeasure: true });
    assert.deepEqual(confirmed, [0, 1, 2, 3, 4]);
    assert.ok(Math.abs(shift + 0.4) < 0.001);
    const broken = await screened(exact, rough, { exact: 4, isMeasure: true }, [NaN, NaN]);
    assert.equal(broken.confirmed.length, 12);
  });

  it('confirms everything after an error that is large', async () => {
    const exact = [...Array(12).keys()].map((k) => 0.1 * k);
    const { confirmed } = await screened(
      exact,
      exact.map((value, k) => (k === 11 ? 0 : value)),
      { exact: 4 },
    );
    assert.deepEqual(confirmed, [...exact.keys()]);
  });

  it('confirms a candidate without a finite screen, and learns nothing of it', async () => {
    const exact = [0, 1, 2, 3, 0.5, 5, 6, NaN];
    const rough = [0, 1, 2, 3, NaN, 5, Infinity, -Infinity];
    const { confirmed, margin } = await screened(exact, rough, { exact: 4 });
    assert.deepEqual(confirmed, [0, 1, 2, 3, 4, 6, 7]);
    assert.ok(margin < 1e-3);
  });

  it('confirms everything where float32 is not finite and the screen is, or the whole model is not', async () => {
    const rough = [...Array(12).keys()];
    const { confirmed } = await screened(
      rough.map((value) => (value === 2 ? NaN : value)),
      rough,
      { exact: 4 },
    );
    assert.deepEqual(confirmed, rough);
    for (const whole of [
      [NaN, 0],
      [0, NaN],
      [Infinity, Infinity],
    ]) {
      const found = await screened(rough, rough, { exact: 4 }, whole as [number, number]);
      assert.deepEqual(found.confirmed, rough);
      assert.equal(found.margin, Infinity);
    }
  });

  it('computes only the whole model for none, and everything for all', async () => {
    const exact = [3, 2, 1, 0];
    assert.deepEqual((await screened(exact, exact, { exact: 0 })).batches, [[]]);
    assert.deepEqual((await screened(exact, exact, { exact: 4 })).batches, [[0, 1, 2, 3]]);
    assert.deepEqual((await screened(exact, exact, { exact: 9 })).batches, [[0, 1, 2, 3]]);
    assert.deepEqual((await screened([], [], { exact: 2 })).batches, [[]]);
  });

  it('never confirms what does not count', async () => {
    const exact = [...Array(12).keys()];
    const rough = exact.map((value) => (value === 1 ? NaN : value));
    const { confirmed } = await screened(exact, rough, { exact: 3, counts: (k) => k > 2 });
    assert.deepEqual(confirmed, [3, 4, 5, 6]);
  });

  it('needs fewer where earlier screens showed the errors', async () => {
    const exact = [...Array(20).keys()].map((k) => 0.02 * k);
    const rough = exact.map((value, k) => value + 0.001 * (k % 3));
    const first = await screened(exact, rough, { exact: 1 });
    const second = await screened(exact, rough, { exact: 1, earlier: first.spread });
    assert.ok(second.confirmed.length < first.confirmed.length);
    assert.ok(second.margin < first.margin);
    assert.equal(second.spread.freedom, first.spread.freedom + second.confirmed.length);
  });

  it('tells how far off a candidate may be: further where it costs more', async () => {
    const exact = [0, 0.1, 0.2, 0.3, 0.4, 5];
    const rough = exact.map((value, k) => value + 0.002 * (k % 2));
    const { margin, marginOf: of } = await screened(exact, rough, { exact: 4 });
    assert.equal(of(0), margin);
    assert.ok(of(5) > 5 * margin && of(5) < 5);
  });
});

describe('the margin of a screen', () => {
  it('covers a further error of a normal distribution nearly always, and of few errors with more room', () => {
    const random = new Random(11);
    for (const count of [3, 5, 11]) {
      let outside = 0;
      for (let run = 0; run < 4000; run++) {
        const errors = Array.from({ length: count }, () => 0.01 * normal(random));
        const { shift, margin } = marginOf(errors);
        if (0.01 * normal(random) - shift > margin) outside++;
      }
      assert.ok(outside < 12, `${outside} of 4000 outside of the margin of ${count}`);
    }
  });

  it('is at least twice the largest error, and not below what float32 tells apart', () => {
    const errors = [...Array<number>(60).fill(0), 0.3];
    const { shift, margin } = marginOf(errors);
    assert.ok(margin >= 2 * (0.3 - shift));
    assert.equal(marginOf([1, 1, 1, 1]).margin, 1e-4);
  });

  it('is unknown from one error, and from one that is not finite', () => {
    assert.equal(marginOf([0.1]).margin, Infinity);
    assert.equal(marginOf([0.1, NaN, 0.2]).margin, Infinity);
    assert.deepEqual(marginOf([0, Infinity]).spread, NO_SPREAD);
  });

  it('grows with the change of the loss, beyond the largest that was seen', () => {
    assert.equal(marginAt(0.01, 0.1, 0.2), 0.01);
    assert.ok(marginAt(0.01, 2, 0.2) > 0.05 && marginAt(0.01, 2, 0.2) < 0.1);
    assert.equal(marginAt(Infinity, 2, 0.2), Infinity);
  });
});
