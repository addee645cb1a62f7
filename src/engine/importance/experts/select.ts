/** Scores of experts from their sums, and the experts that are kept. */
import type { KeptExperts } from '../../checkpoint/kept-experts';
import { formulaNumber } from '../../random';
import { DEFAULT_SEED } from '../drawing';
import type { ExpertCriterion } from './criteria';
import { type ExpertSums, meansOf } from './sums';

/** Seeds of random choices lie so far apart that no two blocks share numbers. */
const SEED_STEP = 65_537;

/**
 * The scores of a block's experts; the lowest go first. REAP's is the mean over the tokens routed to an expert (Lasby et al. 2025,
 * eq. 9). Random ones are u(·, 11 + block) with the default seed.
 */
export function expertScores(
  { block, tokens, norms }: ExpertSums,
  criterion: ExpertCriterion,
  seed: number = DEFAULT_SEED,
): number[] {
  if (criterion === 'reap') return meansOf(norms, tokens);
  if (criterion === 'frequency') return Array.from(tokens);
  const k = 11 + block + SEED_STEP * (seed - DEFAULT_SEED);
  return Array.from(tokens, (_, e) => formulaNumber(e, k));
}

/** How many of `count` experts stay where a share of them goes, rounded down. */
export const keptCount = (count: number, ratio: number): number => count - Math.floor(count * ratio);

/** The `keep` experts with the highest scores, ascending; of equal ones the lower number goes first. */
export function keptOf(scores: readonly number[], keep: number): number[] {
  const order = [...scores.keys()].sort((a, b) => scores[a] - scores[b] || a - b);
  return order.slice(scores.length - keep).sort((a, b) => a - b);
}

/** What stays in every block. */
export const keptExperts = (scores: ReadonlyMap<number, readonly number[]>, keep: number): KeptExperts =>
  new Map([...scores].map(([block, each]) => [block, keptOf(each, keep)]));
