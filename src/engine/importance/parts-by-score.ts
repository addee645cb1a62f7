/** Attention and FFN in the order of scores that each has alone, up to a size. Pure. */
import { UserError } from '../errors';
import type { RemovedPart } from '../model/view';
import type { Room } from './module-costs';
import { fits } from './open-parts';
import { brokenScores } from './ranking';
import type { ModuleScore } from './result';
import { rankBlocks } from './select';

/**
 * The least important modules, up to the last that fits.
 * @param kept blocks whose modules stay
 * @param what the beginning of a message: "cannot remove …"
 * @returns in the order of their scores
 * @throws UserError for a size that is less than one module, or more than all that may go; BrokenScores
 */
export function partsByScore(
  modules: readonly ModuleScore[],
  { takes, size }: Room,
  kept: ReadonlySet<number>,
  what: string,
): RemovedPart[] {
  const open = modules.filter(({ block }) => !kept.has(block));
  const parts: RemovedPart[] = [];
  let left = size;
  for (const i of rankBlocks(open.map(({ score }) => score))) {
    const { block, part, score } = open[i];
    const taken = takes({ block, attention: part === 'attention', ffn: part === 'ffn' });
    if (!fits(taken, left, size)) {
      if (parts.length > 0) return parts;
      throw new UserError(what, 'its least important module is more than that', 'Ask for more.');
    }
    if (!Number.isFinite(score)) throw brokenScores(`${block}.${part} would be removed, and its score is ${score}`);
    left -= taken;
    parts.push({ block, part });
  }
  throw new UserError(what, 'all that may go is less than that', 'Ask for less, or keep fewer blocks.');
}
