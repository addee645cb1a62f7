/** What the importance chart draws, and what follows from it: the order of bars, what is noise, where a suggestion ends. Pure. */
import type { PanelPlan, ScoreDigest } from '../../../src/protocol/panel';
import { numeric } from '../numbers';
import type { Measure } from './importance-scale';
import { ranksOf } from './ranks';

/** The ends of a 95 % interval. */
export interface Ends {
  readonly low: number;
  readonly high: number;
}

export interface Bar {
  readonly block: number;
  readonly value: number;
  /** Interval of the difference to the whole model over the same texts. Whiskers show it. NaN where the record has none. */
  readonly paired: Ends;
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
      paired: { low: numeric(scored?.pairedLow), high: numeric(scored?.pairedHigh) },
      unpaired: { low: numeric(scored?.low), high: numeric(scored?.high) },
      removed: plan.removed.includes(block),
      protected: plan.protected.includes(block),
      locked: plan.locked.includes(block),
      rank: ranks.get(block) ?? 0,
      ranked: ranks.size,
      off: !Number.isFinite(value),
      unknown: Number.isNaN(value),
      margin: scored?.margin === undefined ? undefined : numeric(scored.margin),
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

/**
 * Whether the whole model may be as good: its interval is known and reaches the whole model. A divergence from the whole
 * model itself is never below 0, so it tells nothing.
 */
export const isNoise = ({ paired: { low, high } }: Bar, base: number): boolean => low <= base && high >= base;

/** Half the width of a usual interval among the least important quarter, in amounts of the scale; undefined without intervals. */
export function noiseOf(bars: readonly Bar[], amountOf: (score: number) => number): number | undefined {
  const known = bars.filter(({ paired, off }) => !off && Number.isFinite(paired.low) && Number.isFinite(paired.high));
  const least = [...known].sort((a, b) => a.value - b.value).slice(0, Math.max(3, Math.ceil(known.length / 4)));
  const halves = least.map(({ paired: { low, high } }) => (amountOf(high) - amountOf(low)) / 2);
  halves.sort((a, b) => a - b);
  return halves[Math.floor(halves.length / 2)];
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
