/** What the importance chart draws, and what follows from it: the order of bars, what is noise, where a suggestion ends. Pure. */
import { type Ends, hasNoise, isNoise } from '../../../src/format/noise';
import type { PanelPlan, ScoreDigest } from '../../../src/protocol/panel';
import { numeric } from '../../../src/format/json';
import type { Measure } from './importance-scale';
import { ranksOf } from './ranks';

export interface Bar {
  readonly block: number;
  readonly value: number;
  /**
   * 95 % interval of the difference to the whole model over the same texts, for all blocks at once. Whiskers show it, and
   * what it reaches is noise. NaN where the record has none.
   */
  readonly joint: Ends;
  /** Interval across texts. It does not show differences between blocks. */
  readonly unpaired: Ends;
  readonly removed: boolean;
  readonly protected: boolean;
  readonly locked: boolean;
  /** Rank by the criterion, from 1 (removed first); 0 for a block without a score. */
  readonly rank: number;
  /** How many blocks have a rank. */
  readonly ranked: number;
  /** Beyond the axis: infinite, or not a number. */
  readonly off: boolean;
  /** The run has no score of this block. */
  readonly unknown: boolean;
  /** Of a block that was only screened in int8: how far off its mean loss, or divergence, may be, in nats. */
  readonly margin: number | undefined;
  /** Of a block that dropped out of a race: rows it was measured on. */
  readonly readRows: number | undefined;
}

/** One for each block, by position. @param blocks of the model */
export function barsOf(score: ScoreDigest, plan: PanelPlan, blocks: number): Bar[] {
  const found = new Map(score.blocks.map((block) => [block.index, block]));
  const ranks = ranksOf(score);
  return Array.from({ length: blocks }, (_, block) => {
    const scored = found.get(block);
    const value = numeric(scored?.score);
    return {
      block,
      value,
      joint: { low: numeric(scored?.jointLow), high: numeric(scored?.jointHigh) },
      unpaired: { low: numeric(scored?.low), high: numeric(scored?.high) },
      removed: plan.removed.includes(block),
      protected: plan.protected.includes(block),
      locked: plan.locked.includes(block),
      rank: ranks.get(block) ?? 0,
      ranked: ranks.size,
      off: !Number.isFinite(value),
      unknown: Number.isNaN(value),
      margin: scored?.margin === undefined ? undefined : numeric(scored.margin),
      readRows: scored?.readRows,
    };
  });
}

export const measureOf = ({ full, fullKl }: ScoreDigest): Measure =>
  full !== undefined ? 'ratio' : fullKl !== undefined ? 'divergence' : 'score';

/** What the bars are measured against: perplexity or divergence of the model with all blocks; 0 for other scores. */
export const baseOf = ({ full, fullKl }: ScoreDigest): number => numeric(full ?? fullKl ?? 0);

/** The blocks from left to right: by position, or the least important first. Blocks without a score are last. */
export function orderOf(bars: readonly Bar[], byScore: boolean): number[] {
  const key = ({ rank, block }: Bar): number => (rank === 0 ? bars.length + 1 + block : rank);
  const sorted = byScore ? [...bars].sort((a, b) => key(a) - key(b)) : bars;
  return sorted.map(({ block }) => block);
}

/** The blocks that are told from noise and those that are not, of the blocks with a known interval; undefined for scores without. */
export function toldOf(
  bars: readonly Bar[],
  score: ScoreDigest,
): { readonly known: number; readonly noise: readonly number[] } | undefined {
  const base = baseOf(score);
  const known = bars.filter(({ joint, off }) => !off && !Number.isNaN(joint.low) && !Number.isNaN(joint.high));
  if (!hasNoise(base) || known.length === 0) return undefined;
  return { known: known.length, noise: known.filter(({ joint }) => isNoise(joint, base)).map(({ block }) => block) };
}

/** The field of noise behind a bar: a block whose bar ends inside makes no difference that is told from noise. */
export interface Field {
  readonly block: number;
  /** Half its height, as an amount of the scale: half the height of the block's interval. */
  readonly half: number;
}

/** The fields of all blocks whose interval has an end. */
export function fieldsOf(bars: readonly Bar[], score: ScoreDigest, amountOf: (score: number) => number): Field[] {
  if (toldOf(bars, score) === undefined) return [];
  const fields = bars.map(({ block, off, joint: { low, high } }) => ({
    block,
    half: off ? NaN : (amountOf(high) - amountOf(low)) / 2,
  }));
  return fields.filter(({ half }) => Number.isFinite(half));
}

/**
 * Where a suggestion of `count` blocks would end: between the last score that it takes and the first that it leaves, of the
 * blocks that may go. Undefined if it takes none or all of them.
 */
export function thresholdOf(
  bars: readonly Bar[],
  count: number,
  amountOf: (score: number) => number,
): number | undefined {
  const eligible = bars.filter((bar) => !bar.unknown && !bar.protected && !bar.locked).sort((a, b) => a.rank - b.rank);
  if (count < 1 || count >= eligible.length) return undefined;
  const [taken, left] = [amountOf(eligible[count - 1].value), amountOf(eligible[count].value)];
  if (!Number.isFinite(taken)) return undefined;
  return Number.isFinite(left) ? (taken + left) / 2 : taken;
}
