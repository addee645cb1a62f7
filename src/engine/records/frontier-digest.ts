/** Sizes against perplexity, as display data. */
import type { JsonNumber } from '../../format/json';

export interface FrontierDigest {
  /** Name of the text that perplexity was measured on, and its rows. */
  readonly text: string;
  readonly rows: number | null;
  /** That text also chose the blocks or healed. */
  readonly calibrated: boolean;
  /** Types of few bits were rounded by an importance matrix. */
  readonly weighed: boolean;
  /** What chose the blocks; null if the record does not tell. */
  readonly criterion: string | null;
  /** The original as it is stored; null if the record does not tell. */
  readonly original: { readonly bytes: number; readonly ppl: JsonNumber } | null;
  /** Number by number of removed blocks, the finest type first. */
  readonly points: readonly FrontierPointDigest[];
  /** Null where no size was asked for. */
  readonly fit: {
    readonly bytes: number;
    /** The place of the best point that fits; null if none does. */
    readonly point: number | null;
    /** The text tells it apart from every other point that fits. */
    readonly isClear: boolean;
    /** Command lines that write it. */
    readonly commands: readonly string[];
  } | null;
}

/** A GGUF file that was measured. */
export interface FrontierPointDigest {
  readonly type: string;
  readonly count: number;
  readonly removed: readonly number[];
  readonly healed: boolean;
  readonly bytes: number;
  readonly parameters: number | null;
  readonly ppl: JsonNumber;
  /** No other point is at most as large and has a lower perplexity. */
  readonly frontier: boolean;
  /** Of a size that was asked for. */
  readonly fits?: boolean;
  /** Nats that it loses more than the best point that fits, and half of the 95 % interval. */
  readonly behind?: { readonly difference: JsonNumber; readonly interval: number | null };
}
