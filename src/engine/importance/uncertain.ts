/** Warns where blocks were chosen by a screen or a race: only its exact part is certain (screen.ts, race.ts). */
import { formatNumber } from '../../format/numbers';
import { option } from '../option-token';
import type { Ranking } from './ranking';
import { rankBlocks } from './select';

/** How many of the least important blocks are certain, and the error of the others in nats, if known. */
export interface ScreenOfScores {
  readonly exact: number;
  readonly margin?: number;
  /** The others are estimates from some of the rows, in the same precision. */
  readonly isRace?: true;
}

/**
 * The warning for chosen blocks that are no certain part of the order: those that were only screened, and those in float32
 * behind the certain ones, because a screened block could come before them. Undefined if all are certain.
 */
export function uncertainWarning(
  ranking: Ranking,
  chosen: readonly number[],
  { exact, margin, isRace }: ScreenOfScores,
): string | undefined {
  if (ranking.kind !== 'scores') return undefined;
  const certain = new Set(rankBlocks(ranking.scores).slice(0, exact));
  const blocks = chosen.filter((block) => !certain.has(block)).sort((a, b) => a - b);
  if (blocks.length === 0) return undefined;
  const [noun, were] = blocks.length === 1 ? ['block', 'was'] : ['blocks', 'were'];
  const by = isRace ? 'a race, which reads some of their rows' : 'a screen in int8';
  const within = margin === undefined ? '' : ` (within ${formatNumber(margin, 3)} nats)`;
  const how =
    exact === 0
      ? `none of these scores is ${isRace ? 'certain' : 'float32'}`
      : `only the ${exact} least important blocks of these scores are certain`;
  return (
    `${noun} ${blocks.join(', ')} ${were} chosen by ${by}${within}, and ${how}: ` +
    `score with ${option('exact', exact + blocks.length)}, or choose by ${option('criterion')}`
  );
}
