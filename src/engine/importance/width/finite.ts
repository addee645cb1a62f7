/** Scores that are not finite have no order. */
import { UserError } from '../../errors';
import type { UnitScores } from './units';

/** @returns the scores @throws UserError if one of them is not finite */
export function requireFinite(scores: UnitScores, block: number): UnitScores {
  const kind = (['groups', 'neurons'] as const).find((name) => !scores[name].every(Number.isFinite));
  if (kind === undefined) return scores;
  throw new UserError(
    `Cannot choose what to remove from block ${block}`,
    `the scores of its ${kind === 'groups' ? 'attention heads' : 'neurons'} are not finite`,
    'Look for the broken weight: scoring names the block after which the numbers break. Or use another text.',
  );
}
