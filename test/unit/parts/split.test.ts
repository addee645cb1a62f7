/** How work is cut into parts: every part finds its share alone, so the shares must fit together. */
import assert from 'node:assert/strict';
import { costOf, type CuttableWork, type Range, shareOf, size, splitWork } from '../../../src/engine/parts/split';
import { uniform } from '../../support/random';

/** A sweep of N steps, as of perplexity: what follows a candidate is passed once for it. */
const sweep = (rows: number, unit: number, candidates: number, head = 0): CuttableWork => ({
  rows,
  unit,
  candidates,
  cost: ({ from, to }, whole) => {
    const steps = candidates;
    const own = ((steps - from) * (steps - from - 1) - (steps - to) * (steps - to - 1)) / 2;
    return own + (whole ? steps : Math.max(0, to - 1)) + head * (to - from + Number(whole));
  },
});

/** Random works, the same in every run, each with a number of parts that it has. */
function randomWorks(count: number): { readonly work: CuttableWork; readonly parts: number }[] {
  const random = uniform(23);
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  return Array.from({ length: count }, () => {
    const work = sweep(upTo(60), upTo(8), upTo(2) === 1 ? 0 : upTo(24), random() * 10);
    const most = Math.ceil(work.rows / work.unit) * Math.max(1, work.candidates);
    return { work, parts: upTo(most) };
  });
}

const WORKS = randomWorks(300);
const named = ({ work, parts }: (typeof WORKS)[number]): string =>
  `${work.rows} rows by ${work.unit}, ${work.candidates} candidates, ${parts} parts`;

const within = ({ from, to }: Range, i: number): boolean => i >= from && i < to;

describe('parts/split', () => {
  it('covers every row and candidate once, and the model itself once for each row', () => {
    for (const each of WORKS) {
      const { work, parts } = each;
      const shares = splitWork(work, parts);
      assert.equal(shares.length, parts, named(each));
      for (let row = 0; row < work.rows; row++) {
        const here = shares.filter(({ rows }) => within(rows, row));
        assert.equal(here.filter(({ whole }) => whole).length, 1, `${named(each)}: the model, row ${row}`);
        for (let k = 0; k < work.candidates; k++) {
          const owners = here.filter(({ candidates }) => within(candidates, k));
          assert.equal(owners.length, 1, `${named(each)}: row ${row}, candidate ${k}`);
        }
      }
    }
  });

  it('cuts rows between runs, and leaves no part without work', () => {
    for (const each of WORKS) {
      const { work, parts } = each;
      for (const { rows, candidates, whole } of splitWork(work, parts)) {
        assert.ok(rows.from % work.unit === 0, named(each));
        assert.ok(rows.to % work.unit === 0 || rows.to === work.rows, named(each));
        assert.ok(size(rows) > 0 && (size(candidates) > 0 || (work.candidates === 0 && whole)), named(each));
      }
    }
  });

  it('gives every part the same share, whoever asks', () => {
    for (const { work, parts } of WORKS.slice(0, 40)) {
      const shares = splitWork({ ...work }, parts);
      for (const [i, share] of shares.entries()) assert.deepEqual(shareOf(work, { number: i + 1, of: parts }), share);
    }
  });

  it('gives no part more than one and a half times the mean, beside one run of the dearest candidate and the model itself', () => {
    for (const each of WORKS) {
      const { work, parts } = each;
      const costs = splitWork(work, parts).map((share) => costOf(work, share));
      const mean = costs.reduce((sum, cost) => sum + cost, 0) / parts;
      const least = work.unit * work.cost({ from: 0, to: Math.min(1, work.candidates) }, true);
      assert.ok(Math.max(...costs) <= 1.5 * mean + least, `${named(each)}: ${Math.max(...costs)} of ${mean}, ${least}`);
    }
  });

  it('is even where the rows allow it', () => {
    const costs = splitWork(sweep(80, 5, 30), 8).map((share) => costOf(sweep(80, 5, 30), share));
    assert.deepEqual(new Set(costs).size, 1);
  });

  it('gives fewer candidates to a part early in the stack, because these cost more', () => {
    const shares = splitWork(sweep(5, 5, 32), 4);
    const counts = shares.map(({ candidates }) => size(candidates));
    assert.deepEqual(
      shares.map(({ rows }) => size(rows)),
      [5, 5, 5, 5],
    );
    assert.ok(counts[0] < counts[1] && counts[1] < counts[2] && counts[2] < counts[3], counts.join());
    assert.deepEqual(
      shares.map(({ whole }) => whole),
      [true, false, false, false],
    );
  });

  it('finds the cut whose dearest part costs least, of all that there are', () => {
    for (const candidates of [3, 6, 8]) {
      for (const parts of [2, 3]) {
        const work = sweep(1, 1, candidates, 0.7);
        const found = Math.max(...splitWork(work, parts).map((share) => costOf(work, share)));
        assert.equal(found, leastOfAll(work, parts, 0, true), `${candidates} in ${parts}`);
      }
    }
  });

  it('refuses more parts than there is work, with the number that there is', () => {
    for (const [work, most, why] of [
      [sweep(11, 5, 12), 36, '3 runs of rows with 12 candidates each'],
      [sweep(11, 5, 0), 3, '3 runs of rows'],
      [sweep(1, 1, 1), 1, '1 run of rows'],
    ] as const) {
      assert.equal(splitWork(work, most).length, most);
      assert.throws(() => splitWork(work, most + 1), {
        name: 'UserError',
        what: `The work cannot be cut into ${most + 1} parts`,
        why: `it has ${why}`,
        action: `Take at most ${most} part${most === 1 ? '' : 's'}.`,
      });
    }
  });

  it('cuts the largest work that there is: 10 000 rows, 252 modules, 10 000 parts', () => {
    const counted = countCosts(sweep(10_000, 5, 252, 1));
    const shares = splitWork(counted.work, 10_000);
    assert.equal(shares.length, 10_000);
    // Each range's cost is asked for once, whatever the number of parts is.
    assert.ok(counted.asked() <= (252 * 253) / 2, `${counted.asked()} costs`);
  });
});

/** The least possible maximum over every way to cut the candidates from `from` on. */
function leastOfAll(work: CuttableWork, parts: number, from: number, whole: boolean): number {
  if (parts === 1) return work.cost({ from, to: work.candidates }, whole);
  let least = Infinity;
  for (let to = from + 1; to <= work.candidates - parts + 1; to++) {
    least = Math.min(least, Math.max(work.cost({ from, to }, whole), leastOfAll(work, parts - 1, to, false)));
  }
  return least;
}

function countCosts(work: CuttableWork): { readonly work: CuttableWork; readonly asked: () => number } {
  let asked = 0;
  const cost: CuttableWork['cost'] = (some, whole) => {
    asked++;
    return work.cost(some, whole);
  };
  return { work: { ...work, cost }, asked: () => asked };
}
