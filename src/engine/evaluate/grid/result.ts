/** What a grid of measurements says. */
import type { MemoryPrediction } from './memory';
import type { MeanSd } from './statistics';
import type { DeviceRates } from './work';

/** Measured numbers of a cell. Times are seconds. */
export interface CellFigures {
  /** T of each measured run. */
  readonly times: readonly number[];
  readonly latency: MeanSd;
  /** Tokens a second: M · L / T. */
  readonly throughput: MeanSd;
  /** To the first token of every text, and of each later one; null for a single token. */
  readonly firstToken: MeanSd;
  readonly laterToken: MeanSd | null;
  /** Bytes of this process at the peak of a run, with this model alone. */
  readonly peakBytes: MeanSd;
  /** Share of the processors' time in which they worked for this process. */
  readonly busy: number;
  /** Share of the rate of bare products. */
  readonly compute: number;
  /** Share of the rate at which memory is read; null where that rate is not known. */
  readonly bandwidth: number | null;
  /** Seconds that a run takes at least on this device. */
  readonly floor: number;
  /** Of the throughput, against the first model in the same cell; null without one. */
  readonly speedUp: number | null;
  /** Of the floors: what reading and computing less could bring. */
  readonly floorSpeedUp: number | null;
  /** Bytes less than the first model needed. */
  readonly memorySaved: number | null;
}

/** A length and a batch of a model. */
export interface GridCell {
  /** Texts side by side (M), and new tokens of each (L). */
  readonly batch: number;
  readonly newTokens: number;
  readonly predicted: MemoryPrediction;
  /** oom: not run, because the prediction exceeds the limit; failed: it did not run, or an earlier one of its series. */
  readonly outcome: 'measured' | 'oom' | 'failed';
  readonly failure?: string;
  readonly measured?: CellFigures;
}

/** The grid of one model. */
export interface ModelGrid {
  readonly cells: readonly GridCell[];
  /** Blocks with attention or FFN. */
  readonly blocks: number;
  /** N / (N − n): the speed-up if time were blocks alone; null for the first model. */
  readonly ideal: number | null;
  /** Tokens of a prompt; of the longest one where they differ. */
  readonly promptTokens: number;
  /** Bytes of the open model before it writes; part of every peak. */
  readonly rest: number;
}

/** Rates of the device, before the measurements and after them. */
export interface Rates {
  readonly before: DeviceRates;
  readonly after: DeviceRates;
}
