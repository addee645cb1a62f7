/**
 * Evolutionary search over sets of removed blocks (Sieberling et al., EvoPress, ICML 2025): a (1 + λ) strategy. In each
 * generation 32 mutants of the best set compete, first on a few rows, then the best two of them with the best set on all
 * rows. A mutation swaps some removed blocks for kept ones, so every set has the same number of blocks.
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
/** Largest number of blocks that a mutation swaps. */
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

export interface SearchSpace {
  /** Blocks that may be removed; kept ones are not among them. */
  readonly candidates: readonly number[];
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
export type Measure = (
  sets: readonly (readonly number[])[],
  rows: readonly number[],
  stage: Stage,
) => Promise<readonly Fitness[]>;

/** A finished generation. */
export interface Generation {
  /** The best set so far. */
  readonly best: MeasuredSet;
  /** Mutants of this generation. */
  readonly offspring: number;
}

/**
 * The generations of a search. Ends only when no mutant of the best set is left that was not measured; the caller may
 * stop at any time. Equal seeds give equal generations.
 * @param start the first best set, such as a greedy choice
 * @throws what `measure` throws
 */
export async function* evolve(
  start: MeasuredSet,
  { candidates, rows, length, seed }: SearchSpace,
  measure: Measure,
): AsyncGenerator<Generation, void> {
  const random = new Random(seed);
  const all = Array.from({ length: rows }, (_, row) => row);
  const few = firstRows(rows, length);
  const measured = new Set([keyOf(start.blocks)]);
  const passedOver = new Set<string>();
  let best = start;
  for (;;) {
    const isNew = (key: string): boolean => !measured.has(key) && !passedOver.has(key);
    let offspring = mutants(best.blocks, candidates, isNew, random);
    if (offspring.length === 0) {
      passedOver.clear();
      offspring = mutants(best.blocks, candidates, isNew, random);
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
    survivors.forEach((blocks, i) => {
      if (found[i].kl < best.kl) best = { blocks, ...found[i] };
    });
    yield { best, offspring: offspring.length };
  }
}

/** The sets with the lowest divergence on these rows. */
async function select(
  offspring: readonly (readonly number[])[],
  rows: readonly number[],
  measure: Measure,
): Promise<(readonly number[])[]> {
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
export function mutants(
  parent: readonly number[],
  candidates: readonly number[],
  isNew: (key: string) => boolean,
  random: Random,
): number[][] {
  const found = new Map<string, number[]>();
  for (let draw = 0; draw < OFFSPRING * DRAWS && found.size < OFFSPRING; draw++) {
    const mutant = mutate(parent, candidates, random);
    const key = keyOf(mutant);
    if (isNew(key)) found.set(key, mutant);
  }
  return [...found.values()];
}

/**
 * The set with min(U{1…3}, U{1…3}) of its blocks swapped for other candidates, ascending. Fewer where the set or the
 * other candidates are fewer.
 */
export function mutate(parent: readonly number[], candidates: readonly number[], random: Random): number[] {
  const draw = (): number => 1 + random.below(MOST_SWAPS);
  const removed = random.shuffle([...parent]);
  const kept = random.shuffle(candidates.filter((block) => !parent.includes(block)));
  const swaps = Math.min(draw(), draw(), removed.length, kept.length);
  return [...removed.slice(swaps), ...kept.slice(0, swaps)].sort((a, b) => a - b);
}

const keyOf = (blocks: readonly number[]): string => blocks.join();
