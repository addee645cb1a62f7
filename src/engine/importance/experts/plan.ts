/** How many experts of each block stay, and what cannot be. */
import { type Architecture, withLayers } from '../../checkpoint/architecture';
import { keptBlocks } from '../../checkpoint/block-list';
import { type ExpertBlock, expertBlocks, type KeptExperts, withKeptExperts } from '../../checkpoint/kept-experts';
import { feedForwardKind } from '../../checkpoint/kinds';
import { parametersOf } from '../../checkpoint/parameters';
import { OptionError, UserError } from '../../errors';
import { EXPERT_RATIO, MANY_EXPERTS } from './criteria';
import { keptCount } from './select';
import { wholeBlocks } from '../select';
import { removedFrom } from '../../model/view';
import { option } from '../../option-token';
import { counted } from '../../../format/words';

export interface ExpertPlan {
  /** Experts of each block, those that stay, and those of a token. */
  readonly count: number;
  readonly keep: number;
  readonly chosen: number;
  /** Blocks that are left out, ascending. */
  readonly removed: readonly number[];
  /** The blocks with experts that stay. */
  readonly blocks: readonly ExpertBlock[];
  readonly warnings: readonly string[];
}

/** What is asked for; a quarter of the experts goes if nothing is. */
export interface AskedExperts {
  readonly keep?: number;
  readonly ratio?: number;
  /** At least so many parameters stay, with blocks that are left out counted. */
  readonly targetParams?: number;
  /** Whole blocks to leave out. */
  readonly remove?: readonly (number | string)[];
}

/**
 * @param name of the model, for messages
 * @throws UserError for a model without experts; OptionError for a number that it cannot keep
 */
export function planExperts(architecture: Architecture, name: string, asked: AskedExperts): ExpertPlan {
  const { layers } = architecture;
  const all = expertBlocks(architecture);
  if (all.length === 0) {
    const has = [...new Set(layers.map(({ ffn }) => feedForwardKind(ffn).words))].join(' or ');
    throw new UserError(`${name} has no experts`, `its blocks have ${has}`, 'Remove blocks, or make it narrower.');
  }
  const removed = wholeBlocks(removedFrom(asked.remove ?? [], layers.length));
  const blocks = all.filter(({ block }) => !removed.includes(block));
  if (blocks.length === 0) {
    throw new OptionError(
      'No block with experts is left',
      `${option('remove')} leaves all of them out`,
      'Leave out fewer blocks.',
    );
  }
  const { count, chosen } = all[0].experts;
  if (all.some(({ experts }) => experts.count !== count))
    throw new Error('blocks have different numbers of experts, which no config says');
  const named = asked.keep ?? keptForParameters(architecture, asked, removed, all[0].experts);
  const keep = keepOf({ ...asked, keep: named }, count, chosen);
  const isMany = count - keep >= MANY_EXPERTS * count;
  return {
    count,
    keep,
    chosen,
    removed,
    blocks,
    warnings: isMany
      ? [`${counted(count - keep, 'expert')} of ${count} go from each block: expect much worse text`]
      : [],
  };
}

/** As few experts of each block as leave at least the parameters that are asked for. @throws OptionError where none do */
function keptForParameters(
  architecture: Architecture,
  { targetParams }: AskedExperts,
  removed: readonly number[],
  { count, chosen }: ExpertBlock['experts'],
): number | undefined {
  if (targetParams === undefined) return undefined;
  const sizeOf = (keep: number): number => parametersOf(fewerExperts(architecture, keep, removed));
  const [least, most] = [sizeOf(chosen), sizeOf(count)];
  const blocks = removed.length > 0 ? `, without ${counted(removed.length, 'block')}` : '';
  if (targetParams >= most) {
    const why = `the model has ${most} with all its experts${blocks}`;
    throw new OptionError(`${option('targetParams', targetParams)} drops no expert`, why, 'Give a smaller number.');
  }
  const found = Array.from({ length: count - chosen }, (_, i) => chosen + i).find(
    (keep) => sizeOf(keep) >= targetParams,
  );
  if (targetParams < least) {
    const why = `a token has ${counted(chosen, 'expert')}, and with so many in each block ${least} are left${blocks}`;
    throw new OptionError(
      `${option('targetParams', targetParams)} drops too many experts`,
      why,
      `Give at least ${least}, or leave out blocks with ${option('remove')}.`,
    );
  }
  if (found === undefined) {
    const why = `with one expert less in each block ${sizeOf(count - 1)} are left${blocks}`;
    throw new OptionError(`${option('targetParams', targetParams)} drops no expert`, why, 'Give a smaller number.');
  }
  return found;
}

/** The model with some experts of each block, and without blocks. As many stay everywhere, so it does not matter which ones. */
export function fewerExperts(architecture: Architecture, keep: number, removed: readonly number[]): Architecture {
  const kept = someExperts(architecture, keep);
  return withLayers(withKeptExperts(architecture, kept), keptBlocks(architecture.layers.length, removed));
}

/** The first experts of every block that has some. */
export const someExperts = (architecture: Architecture, keep: number): KeptExperts =>
  new Map(expertBlocks(architecture).map(({ block }) => [block, Array.from({ length: keep }, (_, e) => e)]));

function keepOf({ keep, ratio = EXPERT_RATIO }: AskedExperts, count: number, chosen: number): number {
  const found = keep ?? keptCount(count, ratio);
  const named = keep === undefined ? option('ratio', ratio) : option('keep', keep);
  const instead = option('keep', chosen);
  if (found < chosen) {
    const why = `a token has ${counted(chosen, 'expert')}, and ${counted(found, 'expert')} would stay`;
    throw new OptionError(`${named} drops too many experts`, why, `Keep at least as many as a token has: ${instead}.`);
  }
  if (found >= count) {
    const why = `each block has ${counted(count, 'expert')}, and ${found} would stay`;
    throw new OptionError(`${named} drops no expert`, why, `Keep from ${chosen} to ${count - 1}.`);
  }
  return found;
}

/** Tokens below which scores of rare experts are noise: this many times the experts, divided by those of a token. */
const TOKENS_PER_EXPERT = 100;

/** What the user should know of what was routed. */
export function routingWarnings(
  tokens: readonly (readonly number[])[],
  { count, chosen }: Pick<ExpertPlan, 'count' | 'chosen'>,
): string[] {
  const routed = tokens[0].reduce((sum, each) => sum + each, 0) / chosen;
  const least = Math.ceil((TOKENS_PER_EXPERT * count) / chosen);
  const without = tokens.filter((each) => each.includes(0));
  const unrouted = unroutedIn(tokens);
  return [
    ...(routed < least
      ? [
          `the text has ${counted(routed, 'token')}: with fewer than about ${least}, scores of rare experts are noise; raise ${option('samples')} or ${option('length')}`,
        ]
      : []),
    ...(unrouted > 0
      ? [
          `no token was routed to ${counted(unrouted, 'expert')} in ${counted(without.length, 'block')}: they have the score 0, and go first`,
        ]
      : []),
  ];
}

export const unroutedIn = (tokens: readonly (readonly number[])[]): number =>
  tokens.flat().filter((each) => each === 0).length;
