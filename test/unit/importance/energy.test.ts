/** Energies of sets: their terms, the least sets against all sets one by one, and annealing where there are too many. */
import assert from 'node:assert/strict';
import { energiesOf, energyOf, leastSets, MOST_SETS, pairsOf, setsOf } from '../../../src/engine/importance/energy';
import { Random } from '../../../src/engine/random';
import { assertClose } from '../../support/close';

/** Changes of a state that add up: their squared length has nothing beyond pairs. */
function lengths(candidates: number, seed: number) {
  const random = new Random(seed);
  const changes = Array.from({ length: candidates }, () => Array.from({ length: 5 }, () => random.normal() + 0.4));
  const without = (set: readonly number[]): number => {
    const sum = changes[0].map((_, d) => set.reduce((total, i) => total + changes[i][d], 0));
    return sum.reduce((total, x) => total + x * x, 0);
  };
  const single = changes.map((_, i) => without([i]));
  const pairs = pairsOf(candidates).map((pair) => without(pair));
  return { without, energies: energiesOf(single, pairs) };
}

function subsets(candidates: number, count: number, from = 0): number[][] {
  if (count === 0) return [[]];
  const found: number[][] = [];
  for (let i = from; i <= candidates - count; i++) {
    for (const rest of subsets(candidates, count - 1, i + 1)) found.push([i, ...rest]);
  }
  return found;
}

describe('energies of sets', () => {
  it('are the divergence itself where it is a squared length', () => {
    const { without, energies } = lengths(9, 3);
    for (const set of [[2], [0, 8], [1, 2, 5], [0, 1, 2, 3, 4, 5, 6, 7, 8]]) {
      assertClose(energyOf(energies, set), without(set), { relative: 1e-12 }, set.join());
    }
  });

  it('are at least those of the worst pair: blocks that break the model do not make each other cheap', () => {
    // Each of the first three breaks the model, and nothing is left to break then; the others add up.
    const single = [2, 2, 2, 0.3, 0.3, 0.3];
    const pairs = pairsOf(6).map(([i, j]) => (i < 3 ? 2.1 : single[i] + single[j]));
    const energies = energiesOf(single, pairs);
    assertClose(energies.coupling[0][1], -1.9, { absolute: 1e-12 }, 'coupling of two that break it');
    // The sums alone would be 0.3.
    assertClose(energyOf(energies, [0, 1, 2]), 2.1, { absolute: 1e-12 }, 'three that break it');
    assert.deepEqual(leastSets(energies, 3, 1, 1).sets[0].set, [3, 4, 5]);
  });

  it('are least in the sets that a look at each one finds, in their order', () => {
    for (const [candidates, count, seed] of [
      [10, 4, 1],
      [12, 1, 2],
      [9, 9, 3],
      [11, 10, 4],
    ]) {
      const { energies } = lengths(candidates, seed);
      const all = subsets(candidates, count)
        .map((set) => ({ set, energy: energyOf(energies, set) }))
        .sort((a, b) => a.energy - b.energy);
      assert.equal(setsOf(candidates, count), all.length);
      const { sets, isComplete } = leastSets(energies, count, 8, 1);
      assert.ok(isComplete);
      assert.deepEqual(
        sets.map(({ set }) => set),
        all.slice(0, 8).map(({ set }) => set),
      );
      sets.forEach(({ set, energy }) => assertClose(energy, energyOf(energies, set), { absolute: 1e-9 }, 'energy'));
    }
  });

  it('are least also where the worst pair decides', () => {
    const random = new Random(9);
    const single = Array.from({ length: 10 }, () => 0.2 + random.uniform());
    const pairs = pairsOf(10).map(([i, j]) => Math.max(single[i], single[j]) + 0.2 * random.uniform());
    const energies = energiesOf(single, pairs);
    const all = subsets(10, 4)
      .map((set) => ({ set, energy: energyOf(energies, set) }))
      .sort((a, b) => a.energy - b.energy);
    const { sets } = leastSets(energies, 4, 8, 1);
    sets.forEach(({ energy }, k) => assertClose(energy, all[k].energy, { absolute: 1e-12 }, `set ${k}`));
    const sums = ({ set }: { readonly set: readonly number[] }): number =>
      set.reduce((sum, i, k) => sum + single[i] + set.slice(k + 1).reduce((s, j) => s + energies.coupling[i][j], 0), 0);
    assert.ok(all.slice(0, 8).some((each) => sums(each) < each.energy - 0.1));
  });

  it('are annealed where there are too many sets: the same from one seed, and the least of a known case', () => {
    const candidates = 40;
    assert.ok(setsOf(candidates, 12) > MOST_SETS);
    // Twelve candidates are cheap together, though each alone is not among the cheapest.
    const isCheap = (i: number): boolean => i % 3 === 1 && i < 36;
    const single = Array.from({ length: candidates }, (_, i) => (isCheap(i) ? 2 : 1.5 + i / 1000));
    const pairs = pairsOf(candidates).map(([i, j]) => single[i] + single[j] + (isCheap(i) && isCheap(j) ? -0.3 : 0.1));
    const energies = energiesOf(single, pairs);
    const { sets, isComplete } = leastSets(energies, 12, 8, 7);
    assert.equal(isComplete, false);
    assert.deepEqual(
      sets[0].set,
      single.flatMap((_, i) => (isCheap(i) ? [i] : [])),
    );
    assert.deepEqual(leastSets(energies, 12, 8, 7).sets, sets);
    assert.ok(sets.every(({ energy }, k) => k === 0 || energy >= sets[k - 1].energy));
    sets.forEach(({ set, energy }) => assertClose(energy, energyOf(energies, set), { absolute: 1e-9 }, 'energy'));
    assert.equal(new Set(sets.map(({ set }) => set.join())).size, 8);
  });

  it('of no block are those of the empty set, and without a finite number the first set is as good as any', () => {
    assert.deepEqual(leastSets({ field: [], coupling: [] }, 0, 8, 1).sets, [{ set: [], energy: 0 }]);
    const broken = energiesOf([NaN, NaN, NaN], [NaN, NaN, NaN]);
    assert.deepEqual(leastSets(broken, 2, 8, 1).sets, [{ set: [0, 1], energy: NaN }]);
  });

  it('count the sets', () => {
    assert.deepEqual(
      [setsOf(24, 6), setsOf(24, 12), setsOf(5, 5), setsOf(5, 6), setsOf(5, 1)],
      [134596, 2704156, 1, 0, 5],
    );
  });
});
