/** What models cost: one alone, or several in one run so that they can be compared. */
import type { WidthRates } from '../engine/evaluate/grid/width-finding';
import type { Precision } from '../engine/precision';
import type { JsonNumber } from '../format/json';
import type { RemovedEntry } from './json';
import type { ColumnInfo } from './samples';

/** What one model costs. Times are medians. */
export interface BenchResult {
  readonly parameters: number;
  readonly bytes: number;
  /** From opening the files to the first token. */
  readonly loadSeconds: number;
  readonly prefillTokensPerSecond: JsonNumber;
  readonly decodeTokensPerSecond: JsonNumber;
  readonly timeToFirstTokenSeconds: JsonNumber;
  /** The least and the most of all runs. */
  readonly prefillRange: readonly [low: JsonNumber, high: JsonNumber];
  readonly decodeRange: readonly [low: JsonNumber, high: JsonNumber];
  readonly peakRssBytes: number;
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly repeats: number;
  readonly removed: readonly RemovedEntry[];
  /** The rate of products by FFN width, if asked for. */
  readonly byWidth?: WidthRates;
  readonly device: string;
  readonly precision: Precision;
  readonly seconds: number;
}

/** Medians; a range is the least and the most of all turns. */
export interface MeasuredModel extends ColumnInfo {
  readonly parameters?: number;
  readonly bytes?: number;
  readonly prefillTokensPerSecond?: number;
  readonly prefillRange?: readonly [low: number, high: number];
  readonly decodeTokensPerSecond?: number;
  readonly decodeRange?: readonly [low: number, high: number];
  readonly timeToFirstTokenSeconds?: number;
  /** Why it could not be measured; then it has no figures. */
  readonly failure?: string;
}

export interface SpeedsResult {
  /** In the order of the columns. */
  readonly models: readonly MeasuredModel[];
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly repeats: number;
  readonly precision: Precision;
  readonly seconds: number;
}
