/**
 * The energy of a set of removed blocks: its KL divergence to the second order, from the removals of single blocks and of pairs.
 *
 *   E(S) = max(Σ h_l + Σ J_lm, max D_lm),   h_l = D_l,   J_lm = D_lm − h_l − h_m
 *
 * D_l is the KL divergence without block l, D_lm that without l and m. The first sum runs over the blocks of S, the others run over its
 * pairs. The sums are the Ising model of Jansen et al. (arXiv 2602.00161), with terms that are measured. Near the model, KL divergence
 * is a squared length, and that of a sum of changes has just these terms. Far from it, what is broken already costs nothing more, and
 * the couplings of such blocks would make the sum too small: a set costs at least what its worst pair does.
 */
import { Random } from '../random';

/** The terms of the energy, in nats. */
export interface Energies {
  /** h, by candidate. */
  readonly field: readonly number[];
  /** J, by candidate and candidate; 0 for one and the same. */
  readonly coupling: readonly (readonly number[])[];
}

/**
 * The terms, from KL divergences in nats, all on the same rows and in the same arithmetic: a coupling is a difference of three of them.
 * @param single without each candidate
 * @param pairs without two candidates, in the order (0, 1), (0, 2) … (1, 2) …
 */
export function energiesOf(single: readonly number[], pairs: readonly number[]): Energies {
  const coupling = single.map(() => Array<number>(single.length).fill(0));
  pairsOf(single.length).forEach(([i, j], k) => {
    coupling[i][j] = coupling[j][i] = pairs[k] - single[i] - single[j];
  });
  return { field: single, coupling };
}

/** All pairs of so many candidates, in the order of `energiesOf`. */
export const pairsOf = (candidates: number): (readonly [number, number])[] =>
  Array.from({ length: candidates }, (_, i) =>
    Array.from({ length: candidates - i - 1 }, (__, k) => [i, i + k + 1] as const),
  ).flat();

/** A set of candidates, ascending, and its energy in nats. */
export interface EnergySet {
  readonly set: readonly number[];
  readonly energy: number;
}

/** Up to so many sets are all looked at. */
export const MOST_SETS = 10_000_000;

/** The energy of one set. */
export function energyOf({ field, coupling }: Energies, set: readonly number[]): number {
  const sums = set.reduce(
    (sum, i, k) => sum + field[i] + set.slice(k + 1).reduce((more, j) => more + coupling[i][j], 0),
    0,
  );
  return Math.max(sums, worstPair({ field, coupling }, set));
}

/** The largest divergence of a pair of the set; −∞ where it has none. */
function worstPair({ field, coupling }: Energies, set: readonly number[]): number {
  let worst = -Infinity;
  for (const [k, i] of set.entries()) {
    for (let m = k + 1; m < set.length; m++) {
      const pair = field[i] + field[set[m]] + coupling[i][set[m]];
      if (pair > worst) worst = pair;
    }
  }
  return worst;
}

/** How many sets of `count` there are among `candidates`. */
export function setsOf(candidates: number, count: number): number {
  let sets = 1;
  for (let k = 1; k <= Math.min(count, candidates - count); k++) sets = (sets * (candidates - k + 1)) / k;
  return count > candidates ? 0 : Math.round(sets);
}

/**
 * The sets of least energy, the least first: among all of them where there are at most `MOST_SETS`, else the best that annealing finds.
 * Ties go to the set that comes first.
 * @param count candidates of a set, at most all
 * @param wanted number of sets; fewer where there are not so many
 */
export function leastSets(
  energies: Energies,
  count: number,
  wanted: number,
  seed: number,
): { readonly sets: EnergySet[]; readonly isComplete: boolean } {
  if (count === 0) return { sets: [{ set: [], energy: 0 }], isComplete: true };
  const best = new Best(wanted);
  const isComplete = setsOf(energies.field.length, count) <= MOST_SETS;
  if (isComplete) lookAtAll(energies, count, best);
  else anneal(energies, count, best, new Random(seed));
  const sets = best.sets();
  // Without a finite number no set is better than another.
  const first = { set: Array.from({ length: count }, (_, i) => i), energy: NaN };
  return { sets: sets.length > 0 ? sets : [first], isComplete };
}

/** The best sets so far. */
class Best {
  private found: EnergySet[] = [];

  constructor(private readonly wanted: number) {}

  /** A set with this energy or more is of no use. */
  limit = Infinity;

  add(energy: number, set: readonly number[]): void {
    if (!(energy < this.limit)) return;
    const ascending = set.toSorted((a, b) => a - b);
    const name = ascending.join();
    if (this.found.some((each) => each.set.join() === name)) return;
    const place = this.found.findIndex((each) => energy < each.energy);
    this.found.splice(place === -1 ? this.found.length : place, 0, { set: ascending, energy });
    this.found = this.found.slice(0, this.wanted);
    if (this.found.length === this.wanted) this.limit = this.found.at(-1)!.energy;
  }

  sets(): EnergySet[] {
    return this.found;
  }
}

/** Every set, by its first candidates; none of those whose first ones have a pair that is bad enough. */
function lookAtAll({ field, coupling }: Energies, count: number, best: Best): void {
  const { length } = field;
  const set: number[] = [];
  // What each candidate would add to the sums of the first ones, and the worst pair that it makes with them.
  const adds = Array.from({ length: count }, () => Float64Array.from(field));
  const pairs = Array.from({ length: count }, () => new Float64Array(length).fill(-Infinity));
  const go = (depth: number, from: number, sums: number, worst: number): void => {
    for (let i = from; i <= length - (count - depth); i++) {
      const [now, worstNow] = [sums + adds[depth][i], Math.max(worst, pairs[depth][i])];
      if (worstNow >= best.limit) continue;
      set[depth] = i;
      if (depth + 1 === count) {
        best.add(Math.max(now, worstNow), set);
        continue;
      }
      for (let j = i + 1; j < length; j++) {
        adds[depth + 1][j] = adds[depth][j] + coupling[i][j];
        pairs[depth + 1][j] = Math.max(pairs[depth][j], field[i] + field[j] + coupling[i][j]);
      }
      go(depth + 1, i + 1, now, worstNow);
    }
  };
  go(0, 0, 0, -Infinity);
}

/** Walks of annealing, and the steps of each for each candidate. */
const WALKS = 8;
const STEPS = 2000;
/** Where a walk begins and ends, as shares of the mean energy of a candidate of the set. */
const HOT = 0.3;
const COLD = 0.001;

/** Swaps a candidate of the set for another, from the set that removal in turn finds by energy; a worse set is taken ever more seldom. */
function anneal(energies: Energies, count: number, best: Best, random: Random): void {
  const { field, coupling } = energies;
  const { length } = field;
  const start = inTurn(energies, count);
  const steps = STEPS * length;
  for (let walk = 0; walk < WALKS; walk++) {
    const inside = [...start];
    const outside = [...field.keys()].filter((i) => !start.includes(i));
    const adds = Float64Array.from(field, (h, i) => start.reduce((sum, j) => sum + coupling[i][j], h));
    let sums = start.reduce((sum, i) => sum + (field[i] + adds[i]) / 2, 0);
    let energy = energyOf(energies, start);
    const scale = Math.abs(energy) / count || 1;
    best.add(energy, inside);
    for (let step = 0; step < steps; step++) {
      const heat = scale * HOT * (COLD / HOT) ** (step / steps);
      const [a, b] = [random.below(inside.length), random.below(outside.length)];
      const [leaves, comes] = [inside[a], outside[b]];
      const sumsThen = sums + adds[comes] - coupling[comes][leaves] - adds[leaves];
      inside[a] = comes;
      const then = Math.max(sumsThen, worstPair(energies, inside));
      if (then > energy && random.uniform() >= Math.exp((energy - then) / heat)) {
        inside[a] = leaves;
        continue;
      }
      outside[b] = leaves;
      [sums, energy] = [sumsThen, then];
      for (let i = 0; i < length; i++) adds[i] += coupling[i][comes] - coupling[i][leaves];
      best.add(energy, inside);
    }
  }
}

/** One candidate after the other, each time the one that adds least. */
function inTurn({ field, coupling }: Energies, count: number): number[] {
  const adds = Float64Array.from(field);
  const set: number[] = [];
  while (set.length < count) {
    const least = [...adds.keys()].filter((i) => !set.includes(i)).reduce((a, b) => (adds[b] < adds[a] ? b : a));
    set.push(least);
    for (let i = 0; i < adds.length; i++) adds[i] += coupling[i][least];
  }
  return set;
}
