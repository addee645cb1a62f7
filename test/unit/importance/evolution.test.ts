/** The evolutionary search over sets of blocks: its mutations, its two selections, and what it finds in made-up landscapes. */
import assert from 'node:assert/strict';
import {
  blockSets,
  evolve,
  FIRST_ROWS,
  firstRows,
  type Generation,
  type Measure,
  mutants,
  mutate,
  OFFSPRING,
  SURVIVORS,
} from '../../../src/engine/importance/evolution';
import { Random } from '../../../src/engine/random';
import { uniform } from '../../support/random';

const candidates = [2, 3, 5, 6, 8, 9, 11, 12]; // of 14 blocks, the others are kept
const parent = [3, 8, 9];
const space = { ...blockSets(candidates), rows: 8, length: 64, seed: 5 };

type Blocks = readonly number[];

/** All sets of `size` of the items. */
function subsets(items: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => subsets(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

/** A random divergence for each set and row. */
const landscape = (set: readonly number[], row: number): number =>
  uniform(1 + set.reduce((sum, block) => sum + 2 ** block, 0))() + 0.2 * uniform(row + 7 * set[0])();

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const klOf = (set: readonly number[], rows: readonly number[]): number => mean(rows.map((row) => landscape(set, row)));
const ALL = [...Array(space.rows).keys()];

/** Measures by the landscape, and keeps what it was asked for. */
function watched(): { measure: Measure<Blocks>; asked: { sets: string[]; rows: readonly number[]; stage: string }[] } {
  const asked: { sets: string[]; rows: readonly number[]; stage: string }[] = [];
  const measure: Measure<Blocks> = (sets, rows, stage) => {
    asked.push({ sets: sets.map((set) => set.join()), rows, stage });
    return Promise.resolve(sets.map((set) => ({ kl: klOf(set, rows), meanNll: 1 })));
  };
  return { measure, asked };
}

const start = { set: parent, kl: klOf(parent, ALL), meanNll: 1 };

async function generationsOf(measure: Measure<Blocks>, most: number, seed = space.seed): Promise<Generation<Blocks>[]> {
  const found: Generation<Blocks>[] = [];
  for await (const generation of evolve(start, { ...space, seed }, measure)) {
    found.push(generation);
    if (found.length === most) break;
  }
  return found;
}

describe('importance/evolution: mutation', () => {
  it('swaps one to three blocks for candidates, and never touches a kept block', () => {
    const random = new Random(1);
    const swapped = [0, 0, 0, 0];
    for (let i = 0; i < 9000; i++) {
      const child = mutate(parent, candidates, random);
      assert.equal(new Set(child).size, parent.length);
      assert.ok(child.every((block) => candidates.includes(block)));
      assert.deepEqual(
        child,
        [...child].sort((a, b) => a - b),
      );
      swapped[child.filter((block) => !parent.includes(block)).length]++;
    }
    assert.equal(swapped[0], 0);
    // min(U{1..3}, U{1..3}) is 1, 2, 3 with the probabilities 5/9, 3/9, 1/9.
    [5, 3, 1].forEach((ninths, i) => assert.ok(Math.abs(swapped[i + 1] - 1000 * ninths) < 200, swapped.join()));
  });

  it('swaps fewer where there are fewer, and nothing where nothing is free', () => {
    const random = new Random(2);
    for (let i = 0; i < 50; i++) {
      const child = mutate([2, 3, 5], [2, 3, 5, 6], random);
      assert.equal(child.filter((block) => block !== 6).length, 2);
    }
    assert.deepEqual(mutate([2, 3], [2, 3], random), [2, 3]);
  });

  it('gives different new sets, up to a generation of them', () => {
    const random = new Random(3);
    const many = mutants(parent, space, () => true, random).map((set) => set.join());
    assert.equal(many.length, OFFSPRING);
    assert.equal(new Set(many).size, OFFSPRING);
    const few = mutants(parent, space, (key) => key === '2,3,8' || key === '3,8,12', random);
    assert.deepEqual(few.map((set) => set.join()).sort(), ['2,3,8', '3,8,12']);
    assert.deepEqual(
      mutants(parent, space, () => false, random),
      [],
    );
  });
});

describe('importance/evolution: selection', () => {
  it('first uses a share of the rows, at least one, and no more tokens than the paper', () => {
    assert.equal(firstRows(1, 128), 1);
    assert.equal(firstRows(10, 128), Math.max(1, Math.floor(10 * FIRST_ROWS.share)));
    assert.equal(firstRows(1000, 128), FIRST_ROWS.tokens / 128);
    assert.equal(firstRows(1000, 100_000), 1);
  });

  it('measures mutants on few rows, the best two of them on all, and keeps the best of these and the parent', async () => {
    const { measure, asked } = watched();
    let best = start;
    const generations = await generationsOf(measure, 4);
    assert.equal(asked.length, 2 * generations.length);
    for (const [g, generation] of generations.entries()) {
      const [first, last] = asked.slice(2 * g, 2 * g + 2);
      assert.deepEqual([first.stage, last.stage], ['first', 'last']);
      assert.equal(first.rows.length, firstRows(space.rows, space.length));
      assert.deepEqual(last.rows, ALL);
      assert.equal(first.sets.length, generation.offspring);
      const kl = (set: string, rows: readonly number[]): number => klOf(set.split(',').map(Number), rows);
      const byFew = [...first.sets].sort((a, b) => kl(a, first.rows) - kl(b, first.rows));
      assert.deepEqual(last.sets, byFew.slice(0, SURVIVORS));
      for (const set of last.sets) {
        if (kl(set, ALL) < best.kl) best = { set: set.split(',').map(Number), kl: kl(set, ALL), meanNll: 1 };
      }
      assert.deepEqual(generation.best, best);
    }
  });

  it('draws the few rows anew in each generation', async () => {
    const { measure, asked } = watched();
    await generationsOf(measure, 4);
    const drawn = asked.filter(({ stage }) => stage === 'first').map(({ rows }) => rows.join());
    assert.ok(new Set(drawn).size > 1, drawn.join(' | '));
  });

  it('prefers every finite divergence to one that is not, and never takes the latter', async () => {
    const measure: Measure<Blocks> = (sets) =>
      Promise.resolve(sets.map((set) => ({ kl: set.includes(2) ? 0.01 : NaN, meanNll: 1 })));
    for await (const { best } of evolve({ ...start, kl: 1 }, space, measure)) {
      assert.ok(best.set.includes(2));
      break;
    }
    for await (const { best } of evolve(start, space, (sets) =>
      Promise.resolve(sets.map(() => ({ kl: NaN, meanNll: 1 }))),
    )) {
      assert.deepEqual(best, start);
      break;
    }
  });

  it('measures on all rows at once where the rows are too few for two selections', async () => {
    const { measure, asked } = watched();
    for await (const { best } of evolve(start, { ...space, rows: 1 }, measure)) {
      assert.equal(asked.length, 1);
      assert.equal(asked[0].stage, 'last');
      assert.ok(asked[0].sets.length > SURVIVORS);
      assert.equal(best.kl, Math.min(start.kl, ...asked[0].sets.map((set) => klOf(set.split(',').map(Number), [0]))));
      break;
    }
  });
});

describe('importance/evolution: search', () => {
  it('is the same for the same seed', async () => {
    const [a, b, other] = [watched(), watched(), watched()];
    assert.deepEqual(await generationsOf(a.measure, 5), await generationsOf(b.measure, 5));
    assert.deepEqual(a.asked, b.asked);
    await generationsOf(other.measure, 5, 6);
    assert.notDeepEqual(a.asked, other.asked);
  });

  it('finds the best of all sets, and ends when all are measured, none twice', async () => {
    const { measure, asked } = watched();
    const generations = await generationsOf(measure, Infinity);
    const sets = subsets(candidates, parent.length);
    const least = Math.min(...sets.map((set) => klOf(set, ALL)));
    assert.equal(generations.at(-1)!.best.kl, least);
    const measured = asked.filter(({ stage }) => stage === 'last').flatMap(({ sets: some }) => some);
    assert.equal(new Set(measured).size, measured.length, 'none twice');
    assert.deepEqual([...measured, parent.join()].sort(), sets.map((set) => set.join()).sort());
  });

  it('tries a set that has lost on few rows again only when no other is left', async () => {
    const { measure, asked } = watched();
    await generationsOf(measure, Infinity);
    const first = asked.filter(({ stage }) => stage === 'first');
    const seen = new Set<string>([parent.join()]);
    const total = subsets(candidates, parent.length).length;
    for (const { sets } of first) {
      const again = sets.filter((set) => seen.has(set));
      if (seen.size < total) assert.deepEqual(again, []);
      sets.forEach((set) => seen.add(set));
    }
  });

  it('never gets worse', async () => {
    const generations = await generationsOf(watched().measure, Infinity);
    const kls = [start.kl, ...generations.map(({ best }) => best.kl)];
    assert.ok(kls.every((kl, i) => i === 0 || kl <= kls[i - 1]));
  });

  it('has no generation where no set but the first exists', async () => {
    for (const few of [parent, []]) {
      const none = evolve({ ...start, set: few }, { ...space, ...blockSets(few) }, () =>
        Promise.reject(new Error('asked')),
      );
      assert.deepEqual(await none.next(), { done: true, value: undefined });
    }
  });
});
