/**
 * Which blocks to remove, given their scores: the ascending stable order and the "+" keep-list of Shortened LLaMA
 * (`src/block_prune.py`). Scoring never applies the keep-list; selection applies it for every criterion.
 */
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { option, set } from '../option-token';
import type { RemovedPart } from '../model/view';
import type { LayerShape } from '../checkpoint/architecture';
import { requireBlocks } from '../checkpoint/block-list';
import { attendingBlocks } from '../checkpoint/kinds/parts';

/** Blocks that are kept regardless of their score. */
export interface KeepOptions {
  /** The "+" heuristic: keep blocks 0–3 and the last two. On by default. */
  readonly keepEnds?: boolean;
  /** Other blocks to keep. */
  readonly keep?: readonly number[];
}

/** A run of `size` consecutive blocks from `start`, scored by the angular distance across it. */
export interface AngularWindow {
  readonly start: number;
  readonly size: number;
  readonly score: number;
}

/**
 * Blocks from least to most important: by ascending score, equal scores by ascending index, non-finite scores last
 * (infinities before NaN). A score of −∞ is a broken measurement and not an unimportant block, so it comes last too.
 */
export function rankBlocks(scores: readonly number[]): number[] {
  const tier = (score: number): number => (Number.isFinite(score) ? 0 : Number.isNaN(score) ? 2 : 1);
  return scores
    .map((_, block) => block)
    .sort((a, b) => {
      const tiers = tier(scores[a]) - tier(scores[b]);
      if (tiers !== 0) return tiers;
      return tier(scores[a]) === 0 ? scores[a] - scores[b] || a - b : a - b;
    });
}

/** {0, 1, 2, 3, L−2, L−1}: the blocks that the "+" heuristic keeps in a model of `blocks` blocks. */
export function endBlocks(blocks: number): number[] {
  return [...new Set([0, 1, 2, 3, blocks - 2, blocks - 1])]
    .filter((block) => block >= 0 && block < blocks)
    .sort((a, b) => a - b);
}

/**
 * The blocks to keep, from the "+" heuristic and the user's own list. Where only some blocks have attention, one of these is kept:
 * the last one, if no other is.
 * @param blocks of the model, or how many, if all are alike
 */
export function keepList(blocks: number | readonly LayerShape[], options: KeepOptions = {}): ReadonlySet<number> {
  const count = typeof blocks === 'number' ? blocks : blocks.length;
  const keep = options.keep ?? [];
  requireBlocks(keep, count, 'the keep-list');
  const kept = new Set([...((options.keepEnds ?? true) ? endBlocks(count) : []), ...keep]);
  const attending = typeof blocks === 'number' ? [] : attendingBlocks(blocks);
  if (attending.length > 0 && attending.length < count && !attending.some((block) => kept.has(block))) {
    kept.add(attending.at(-1)!);
  }
  return kept;
}

/** `order` without the kept blocks. */
export function candidatesOf(order: readonly number[], kept: ReadonlySet<number>): number[] {
  return order.filter((block) => !kept.has(block));
}

/**
 * The `count` least important removable blocks of `order`, ascending.
 * @throws UserError when the keep-list leaves fewer than `count`
 */
export function selectByOrder(order: readonly number[], count: number, kept: ReadonlySet<number>): number[] {
  requireRoom(order.length, count, kept);
  return ascending(candidatesOf(order, kept).slice(0, count));
}

/**
 * The blocks of the window of size `count` with the lowest distance that contains no kept block (Gromov et al.'s rule
 * with the keep-list). `windows` may hold other sizes too; of equal distances the lower start wins.
 * @throws UserError when no such window was measured
 */
export function selectByAngular(
  windows: readonly AngularWindow[],
  blocks: number,
  count: number,
  kept: ReadonlySet<number>,
): number[] {
  requireRoom(blocks, count, kept);
  const sized = windows.filter((window) => window.size === count).sort((a, b) => a.start - b.start);
  if (sized.length === 0) {
    const largest = windows.reduce((size, window) => Math.max(size, window.size), 0);
    throw new UserError(
      `cannot remove ${counted(count, 'block')} by angular distance`,
      `windows of that size were not measured (the largest has ${counted(largest, 'block')})`,
      largest > 0 ? `Give a count of at most ${largest}, or use another criterion.` : 'Score the model again.',
    );
  }
  const free = sized.filter(({ start }) => blockRun(start, count).every((block) => !kept.has(block)));
  if (free.length === 0) {
    throw new UserError(
      `no ${counted(count, 'consecutive block')} may be removed`,
      `every window of that size touches a kept block (${ascending(kept).join(', ')})`,
      `Give a smaller count, a shorter ${option('keep')} list, or ${option('keepEnds', false)}.`,
    );
  }
  const best = free[rankBlocks(free.map((window) => window.score))[0]];
  return blockRun(best.start, count);
}

/**
 * The first `count` removals of a removal in turn. Each was chosen after the earlier ones were removed, so a kept block
 * cannot be skipped afterwards: the run itself must have excluded it.
 * @throws UserError when the run is too short or removed a kept block
 */
export function selectByGreedy(
  removals: readonly number[],
  blocks: number,
  count: number,
  kept: ReadonlySet<number>,
): number[] {
  requireRoom(blocks, count, kept);
  const chosen = removals.slice(0, count);
  const forbidden = chosen.find((block) => kept.has(block));
  if (forbidden !== undefined) {
    throw new UserError(
      'these removals cannot be used',
      `they remove block ${forbidden}, which is kept, and the later removals depend on that one`,
      `Prune by the criterion itself, which never tries kept blocks, or ${set('keepEnds', false, 'add')}.`,
    );
  }
  if (chosen.length < count) {
    throw new UserError(
      `cannot remove ${counted(count, 'block')} with these removals`,
      `the run stopped after ${removals.length}`,
      `Score again with ${option('count', count)}, or give a smaller count.`,
    );
  }
  return ascending(chosen);
}

/**
 * The blocks of a set that was chosen as a whole. No part of it is a choice of fewer blocks.
 * @throws UserError when the set has another number of blocks or names a kept block
 */
export function selectBySet(
  found: readonly number[],
  blocks: number,
  count: number,
  kept: ReadonlySet<number>,
): number[] {
  requireRoom(blocks, count, kept);
  if (found.length !== count) {
    throw new UserError(
      `cannot remove ${counted(count, 'block')} with the result of this search`,
      `it is one set of ${counted(found.length, 'block')}, which has no order`,
      `Search with ${option('count', count)}, or ${set('count', found.length, 'give')}.`,
    );
  }
  const forbidden = found.find((block) => kept.has(block));
  if (forbidden !== undefined) {
    throw new UserError(
      'the result of this search cannot be used',
      `it removes block ${forbidden}, which is kept, and the blocks were chosen together`,
      `Prune with ${option('criterion', 'search')}, which never tries kept blocks, or ${set('keepEnds', false, 'add')}.`,
    );
  }
  return ascending(found);
}

/**
 * Blocks that the user named explicitly. The "+" heuristic does not apply to them: it guards the choice of a criterion,
 * not the user's.
 * @throws UserError for an empty list, unknown blocks, all blocks, or a block of the keep-list
 */
export function selectExplicit(list: readonly number[], blocks: number, keep: readonly number[] = []): number[] {
  requireBlocks(list, blocks, 'the list of blocks to remove');
  requireBlocks(keep, blocks, 'the keep-list');
  const chosen = ascending(new Set(list));
  const contradiction = chosen.find((block) => keep.includes(block));
  if (contradiction !== undefined) {
    throw new UserError(
      `block ${contradiction} cannot be removed`,
      'the keep-list names it too',
      `Take it out of ${option('blocks')} or out of ${option('keep')}.`,
    );
  }
  if (chosen.length === 0) {
    throw new UserError(
      'nothing to remove',
      'the list of blocks is empty',
      `Name at least one block, as in ${option('blocks', 10)}.`,
    );
  }
  if (chosen.length === blocks) {
    throw new UserError(
      'cannot remove every block',
      `the model has ${blocks} and the list names all of them`,
      'Keep at least one.',
    );
  }
  return chosen;
}

/**
 * The whole blocks among `parts`, ascending. A block is whole when both its attention and its FFN are named.
 * @throws UserError when only one module of a block is removed: such a model can be viewed but not written
 */
export function wholeBlocks(parts: readonly RemovedPart[]): number[] {
  const named = new Map<number, Set<'attention' | 'ffn'>>();
  for (const { block, part } of parts) {
    const modules = named.get(block) ?? new Set();
    for (const module of part ? [part] : (['attention', 'ffn'] as const)) modules.add(module);
    named.set(block, modules);
  }
  for (const [block, modules] of named) {
    if (modules.size === 2) continue;
    const [part] = modules;
    throw new UserError(
      `a checkpoint without ${block}.${part} cannot be written`,
      'stock Hugging Face classes build every block with attention and FFN, so nothing else could load it',
      'Remove whole blocks, or look at this model as a view: ' +
        `${option('remove')} works with eval, generate, bench, score, and heal as a patch.`,
    );
  }
  return ascending(named.keys());
}

/** @throws UserError when fewer than `count` blocks are removable, or none would remain */
export function requireRoom(blocks: number, count: number, kept: ReadonlySet<number>): void {
  const free = blocks - kept.size;
  if (count <= Math.min(free, blocks - 1)) return;
  throw new UserError(
    `cannot remove ${count} of ${blocks} blocks`,
    kept.size > 0
      ? `${counted(kept.size, 'block')} ${kept.size === 1 ? 'is' : 'are'} kept (${ascending(kept).join(', ')}), which leaves ${free}`
      : 'at least one block must remain',
    kept.size > 0
      ? `Remove fewer, shorten ${option('keep')}, or ${set('keepEnds', false, 'give')}.`
      : `Remove at most ${blocks - 1}.`,
  );
}

const blockRun = (start: number, count: number): number[] => Array.from({ length: count }, (_, i) => start + i);
const ascending = (blocks: Iterable<number>): number[] => [...blocks].sort((a, b) => a - b);
