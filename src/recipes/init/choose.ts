/** Turns a goal into a number of blocks and a type of the weights. The sizes come from a function, so it reads nothing. */
import { estimatedSpeedup } from '../../jobs/plan-effect';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { layerParameters } from '../../engine/checkpoint/parameters';
import { UserError } from '../../engine/errors';
import { fewestWithin } from '../../engine/evaluate/frontier';
import { mostForSize } from '../../engine/importance/count';
import { endBlocks } from '../../engine/importance/select';
import { formatBytes, formatFactor, formatPercent } from '../../format/numbers';
import { counted } from '../../format/words';

/** What is removed and how the rest is written. */
export interface Chosen {
  readonly removes: number;
  /** Undefined: every weight keeps its type. */
  readonly type?: string;
  readonly bytes: number;
}

/** The most bytes of an export without `count` blocks. */
export type SizeOf = (type: string | undefined, count: number) => Promise<number>;

/** No recipe is drafted for more. */
const MOST = 1 / 2;

const upTo = (blocks: number, share: number): number => Math.floor(blocks * share);

/** Whether the first four blocks and the last two have to take part, because the others are too few. */
export const needsEnds = (blocks: number, removes: number): boolean => removes > blocks - endBlocks(blocks).length;

export const isMuch = (blocks: number, removes: number): boolean => removes > mostForSize(blocks);

/**
 * Blocks in place of the ones that will be chosen, which nobody knows yet: the smallest ones, so that a model without any
 * others is not larger.
 * @param sizes of the blocks: their bytes where they keep their types, which can differ from block to block
 */
export function smallest(architecture: Architecture, count: number, sizes = layerParameters(architecture)): number[] {
  const ends = needsEnds(sizes.length, count) ? [] : endBlocks(sizes.length);
  const free = [...sizes.keys()].filter((block) => !ends.includes(block));
  return free
    .sort((a, b) => sizes[a] - sizes[b] || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
}

/** @throws UserError where that is no block or too many */
export function countOfShare({ layers }: Architecture, share: number): number {
  const count = Math.round(layers.length * share);
  if (count >= 1 && count <= upTo(layers.length, MOST)) return count;
  const why = `${formatPercent(share)} of ${counted(layers.length, 'block')} is ${count === 0 ? 'none' : count}`;
  const most = upTo(layers.length, MOST);
  throw new UserError(
    `A model with ${formatPercent(share)} fewer blocks cannot be drafted`,
    most === 0 ? `${why}, and none can be spared` : why,
    most === 0 ? NOTHING : `Give a share from ${shareOf(1, layers.length)} to ${shareOf(most, layers.length)}.`,
  );
}

const NOTHING = 'Make its weights smaller instead: give a size that it is to fit into.';

/** Rounded inwards, so that the share can be given as it is shown. */
const shareOf = (count: number, blocks: number): string =>
  (Math.ceil((count / blocks) * 100 - 50 / blocks) / 100).toString();

/**
 * The fewest blocks without which the model is that many times as fast.
 * @param asked what is asked for, for messages: "1.5× the speed"
 * @throws UserError where that needs none, or more than half of them
 */
export function countOfSpeed(architecture: Architecture, factor: number, asked: string): number {
  const most = upTo(architecture.layers.length, MOST);
  if (factor <= 1) {
    const why = `the model is ${factor === 1 ? 'as fast' : 'faster'} already`;
    throw new UserError(`${asked} needs no pruning`, why, 'Ask for more.');
  }
  for (let count = 1; count <= most; count++) {
    if (estimatedSpeedup(architecture, smallest(architecture, count)) >= factor) return count;
  }
  const fastest = estimatedSpeedup(architecture, smallest(architecture, most));
  throw new UserError(
    `${asked} cannot be done`,
    most === 0
      ? 'the model has a single block'
      : `without half of its blocks (${most} of ${architecture.layers.length}) it is ${formatFactor(fastest)} as fast`,
    most === 0 ? NOTHING : `Ask for at most ${(Math.floor(fastest * 100) / 100).toString()}.`,
  );
}

/**
 * Makes a model fit. Coarser types come first, because they cost less than blocks do for the same bytes; a third of the
 * blocks at most.
 * @param types from the finest to the coarsest; undefined is the type of the checkpoint
 * @param sizeOf a type without so many blocks
 * @throws UserError where even the coarsest type without a third of the blocks is larger, with what is possible
 */
export async function fitting(
  architecture: Architecture,
  bytes: number,
  types: readonly (string | undefined)[],
  sizeOf: SizeOf,
): Promise<Chosen> {
  for (const type of types) {
    const whole = await sizeOf(type, 0);
    if (whole <= bytes) return { removes: 0, type, bytes: whole };
  }
  const coarsest = types.at(-1);
  const sizeWithout = (count: number): Promise<number> => sizeOf(coarsest, count);
  const most = mostForSize(architecture.layers.length);
  const found = await fewestWithin(bytes, most, sizeWithout);
  if (found === undefined) {
    const least = await sizeWithout(most);
    throw tooLarge({ bytes, least, most, blocks: architecture.layers.length, type: coarsest });
  }
  return { removes: found.count, type: coarsest, bytes: found.bytes };
}

interface TooLarge {
  readonly bytes: number;
  readonly least: number;
  readonly most: number;
  readonly blocks: number;
  readonly type?: string;
}

function tooLarge({ bytes, least, most, blocks, type }: TooLarge): UserError {
  const how = most === 0 ? '' : ` without ${most} of its ${blocks} blocks`;
  const as = type === undefined ? '' : ` as ${type}`;
  return new UserError(
    `The model does not fit into ${formatBytes(bytes)}`,
    `it takes ${formatBytes(least)}${as}${how}, and more than a third of the blocks is not removed for a size`,
    `Give at least ${formatBytes(Math.ceil(least * 1.01))}, another format, a smaller vocabulary, or a smaller model.`,
  );
}
