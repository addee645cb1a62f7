/** How much each block matters among the others, as a small bar, so that a column of lines reads as a profile. Pure. */
import { parseJsonNumber } from '../../format/json';
import { rankBlocks } from '../../engine/importance/select';
import type { Scores } from '../scores';

const BARS = Array.from('▁▂▃▄▅▆▇█');

/** A block's place among those that have one. */
export interface BlockRank {
  /** 1 goes first. */
  readonly place: number;
  readonly of: number;
}

const known = new WeakMap<object, ReadonlyMap<number, BlockRank>>();

/** The place of each block: by its score, or by the order of its removal. Windows and sets of blocks give none. */
export function placesOf(scores: Pick<Scores, 'blocks' | 'removals'>): ReadonlyMap<number, BlockRank> {
  let places = known.get(scores);
  if (!places) known.set(scores, (places = computePlaces(scores)));
  return places;
}

function computePlaces({ blocks, removals = [] }: Pick<Scores, 'blocks' | 'removals'>): ReadonlyMap<number, BlockRank> {
  const order = blocks ? rankBlocks(blocks.map((score) => parseJsonNumber(score) ?? NaN)) : removals;
  return new Map(order.map((block, i) => [block, { place: i + 1, of: order.length }]));
}

/** "▁" for what goes first, "█" for what goes last. Ranks, because scores of a few blocks are often thousands of times the rest. */
export function barOf({ place, of }: BlockRank): string {
  const share = of > 1 ? (place - 1) / (of - 1) : 0;
  return BARS[Math.round(share * (BARS.length - 1))];
}
