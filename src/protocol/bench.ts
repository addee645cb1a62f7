/** Speeds of several models, measured in one run so that they can be compared. */
import type { JobBase } from './jobs';
import type { ColumnInfo, SampleColumn } from './samples';

export interface BenchSpec extends JobBase {
  readonly kind: 'bench';
  readonly columns: readonly SampleColumn[];
  /** Length of the prompt, and tokens to write after it; 128 and 64 when undefined, less where a context is smaller. */
  readonly promptTokens?: number;
  readonly newTokens?: number;
  /** Measured turns of each model after a warm-up; 5 when undefined. */
  readonly repeats?: number;
  readonly seed?: number;
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

export interface BenchResult {
  /** In the order of the columns. */
  readonly models: readonly MeasuredModel[];
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly repeats: number;
  readonly seconds: number;
}
