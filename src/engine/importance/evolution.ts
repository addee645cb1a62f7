/**
 * Evolutionary search over sets of removed parts (Sieberling et al., EvoPress, ICML 2025): a (1 + λ) strategy. In each
 * generation 32 mutants of the best set compete, first on a few rows, then the best two of them with the best set on all
 * rows. A mutation swaps some removed blocks for kept ones, so every set has the same number of blocks; sets with single
 * modules are swapped by what these save (module-swaps.ts).
 *
 * Rows are drawn anew in each generation, so that no few rows decide for the whole search. No set is measured on all rows
 * twice. A set that has lost on a few rows competes again only when no other mutants are left.
 */
import { Random } from '../random';
import { rankBlocks } from './select';

/** Mutants of a generation (λ). */
export const OFFSPRING = 32;
/** Mutants that are measured on all rows. */
export const SURVIVORS = 2;
/** Largest number of parts that a mutation swaps. */
const MOST_SWAPS = 3;
/** Rows of the first selection: at least one, this share, and no more tokens than in the paper. */
export const FIRST_ROWS = { share: 1 / 8, tokens: 2048 } as const;
/** Draws for each wanted mutant. If none of them gives a new set, there is none, or finding one is unlikely. */
const DRAWS = 20;

/** What the search minimises. */
export interface Fitness {
  /** Mean KL(unpruned ‖ pruned) in nats. */
  readonly kl: number;
  /** Mean token loss in nats. */
  readonly meanNll: number;
}

/** A set of removed blocks, ascending, with its fitness on all rows. */
export interface MeasuredSet extends Fitness {
  readonly blocks: readonly number[];
}

/** A set of any kind, with its fitness on all rows. */
export interface Measured<S> extends Fitness {
  readonly set: S;
}

/** How sets of a kind are told apart, and changed. */
export interface Sets<S> {
  /** Equal for equal sets. */
  readonly keyOf: (set: S) => string;
  /** The set with a few of its parts swapped; undefined where the draw gave none that may be. */
  readonly mutate: (parent: S, random: Random) => S | undefined;
}

export interface SearchSpace<S> extends Sets<S> {
  /** Number of calibration rows, and tokens of a row. */
  readonly rows: number;
  readonly length: number;
  readonly seed: number;
}

/** The selection that sets are measured for: on few rows, or on all. */
export type Stage = 'first' | 'last';

/**
 * Measures sets on some rows.
 * @param rows indices, ascending
 * @returns the fitness of each set
 */
export type Measure<S> = (sets: readonly S[], rows: readonly number[], stage: Stage) => Promise<readonly Fitness[]>;

/** A finished generation. */
export interface Generation<S> {
  /** The best set so far. */
  readonly best: Measured<S>;
  /** Mutants of this generation. */
  readonly offspring: number;
}

/**
 * The generations of a search. Ends only when no mutant of the best set is left that was not measured; the caller may
 * stop at any time. Equal seeds give equal generations.
 * @param start the first best set, such as a greedy choice
 * @throws what `measure` throws
 */
export async function* evolve<S>(
  start: Measured<S>,
  { rows, length, seed, ...sets }: SearchSpace<S>,
  measure: Measure<S>,
): AsyncGenerator<Generation<S>, void> {
  const { keyOf } = sets;
  const random = new Random(seed);
  const all = Array.from({ length: rows }, (_, row) => row);
  const few = firstRows(rows, length);
  const measured = new Set([keyOf(start.set)]);
  const passedOver = new Set<string>();
  let best = start;
  for (;;) {
    const isNew = (key: string): boolean => !measured.has(key) && !passedOver.has(key);
    let offspring = mutants(best.set, sets, isNew, random);
    if (offspring.length === 0) {
      passedOver.clear();
      offspring = mutants(best.set, sets, isNew, random);
    }
    if (offspring.length === 0) return;
    const some = random
      .shuffle([...all])
      .slice(0, few)
      .sort((a, b) => a - b);
    const survivors = offspring.length > SURVIVORS && few < rows ? await select(offspring, some, measure) : offspring;
    const found = await measure(survivors, all, 'last');
    offspring.forEach((set) => passedOver.add(keyOf(set)));
    survivors.forEach((set) => measured.add(keyOf(set)));
    survivors.forEach((set, i) => {
      if (found[i].kl < best.kl) best = { set, ...found[i] };
    });
    yield { best, offspring: offspring.length };
  }
}

/** The sets with the lowest divergence on these rows. */
async function select<S>(offspring: readonly S[], rows: readonly number[], measure: Measure<S>): Promise<S[]> {
  const fitness = await measure(offspring, rows, 'first');
  return rankBlocks(fitness.map(({ kl }) => kl))
    .slice(0, SURVIVORS)
    .map((i) => offspring[i]);
}

/** Rows of the first selection. */
export function firstRows(rows: number, length: number): number {
  const most = Math.floor(FIRST_ROWS.tokens / length);
  return Math.max(1, Math.min(most, Math.floor(rows * FIRST_ROWS.share)));
}

/** Up to `OFFSPRING` different mutants that are new; none if no draw finds one. */
export function mutants<S>(
  parent: S,
  { keyOf, mutate: mutantOf }: Sets<S>,
  isNew: (key: string) => boolean,
  random: Random,
): S[] {
  const found = new Map<string, S>();
  for (let draw = 0; draw < OFFSPRING * DRAWS && found.size < OFFSPRING; draw++) {
    const mutant = mutantOf(parent, random);
    if (mutant === undefined) continue;
    const key = keyOf(mutant);
    if (isNew(key)) found.set(key, mutant);
  }
  return [...found.values()];
}

/** How many parts a mutation swaps at most: min(U{1…3}, U{1…3}). */
export function swapsOf(random: Random): number {
  const draw = (): number => 1 + random.below(MOST_SWAPS);
  return Math.min(draw(), draw());
}

/** Sets of blocks, ascending, that are swapped for others of these candidates; kept blocks are not among them. */
export const blockSets = (candidates: readonly number[]): Sets<readonly number[]> => ({
  keyOf: (blocks) => blocks.join(),
  mutate: (parent, random) => mutate(parent, candidates, random),
});

/** The set with some of its blocks swapped for other candidates, ascending. Fewer where the set or the other candidates are fewer. */
export function mutate(parent: readonly number[], candidates: readonly number[], random: Random): number[] {
  const removed = random.shuffle([...parent]);
  const kept = random.shuffle(candidates.filter((block) => !parent.includes(block)));
  const swaps = Math.min(swapsOf(random), removed.length, kept.length);
  return [...removed.slice(swaps), ...kept.slice(0, swaps)].sort((a, b) => a - b);
}
