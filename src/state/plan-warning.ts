/**
 * The warning for a plan that removes blocks which no suggestion would remove: important blocks by the shown scores,
 * and blocks that the paper keeps. Such a plan is allowed. Does not use VS Code.
 */
import { l10n } from '../l10n';
import type { Protection } from './protection';
import { importances, type Scores } from './scores';
import { shortScore } from './words/short-score';

/**
 * @param removed blocks to remove, ascending
 * @returns "removes block 2, which is important (ppl 125)", or undefined when there is nothing to warn of
 */
export function planWarning(
  removed: readonly number[],
  scores: Scores | undefined,
  { kept, locked }: Pick<Protection, 'kept' | 'locked'>,
): string | undefined {
  const importance = importances(scores);
  const heavy = removed.filter((block) => importance?.[block] === 'high');
  const others = removed.filter((block) => !heavy.includes(block) && kept.has(block) && !locked.has(block));
  const clauses = [...(heavy.length > 0 ? [heavyClause(heavy, scores!)] : []), ...keptClause(others)];
  return clauses.length === 0 ? undefined : clauses.join('; ');
}

function heavyClause(blocks: readonly number[], { criterion, blocks: all }: Scores): string {
  const values = `${criterion} ${blocks.map((block) => shortScore(all![block])).join(', ')}`;
  return blocks.length === 1
    ? l10n.t('removes block {0}, which is important ({1})', blocks[0], values)
    : l10n.t('removes blocks {0}, which are important ({1})', blocks.join(', '), values);
}

function keptClause(blocks: readonly number[]): string[] {
  if (blocks.length === 0) return [];
  return blocks.length === 1
    ? [l10n.t('removes block {0}, which the paper keeps', blocks[0])]
    : [l10n.t('removes blocks {0}, which the paper keeps', blocks.join(', '))];
}
