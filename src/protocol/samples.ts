/** Continuations side by side: every prompt by every column, in turn in small slices so that all columns move. */
import type { Precision } from '../engine/precision';
import type { JsonNumber } from '../format/json';
import type { OnTop } from '../format/on-top';
import type { RemovedEntry } from './json';

/** Why a text ended: the model said so, its length or context was reached, or the user stopped it. */
export type StopReason = 'eos' | 'length' | 'context' | 'cancelled';

/** A turn of a conversation. Without a chat template it is a piece of one text. */
export interface ChatTurn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** A continuation and what it took; times are the column's own, without those that others computed meanwhile. */
export interface GeneratedText {
  readonly ids: readonly number[];
  /** Null where there is no tokenizer. */
  readonly text: string | null;
  readonly stopped: StopReason;
  /** Seconds from the prompt to its first new token; NaN when there was none. */
  readonly timeToFirstToken: JsonNumber;
  readonly prefillTokensPerSecond: JsonNumber;
  /** After the first token; NaN when there was no second. */
  readonly decodeTokensPerSecond: JsonNumber;
}

export interface SampleText extends Omit<GeneratedText, 'stopped'> {
  readonly stopped: StopReason | 'failed';
  /** Why it failed; the other columns' texts stand. */
  readonly failure?: string;
  /** Indices into the prompts and columns of the spec. */
  readonly prompt: number;
  readonly column: number;
  readonly promptTokens: number;
}

/** Cancelling this job is a way to end it: what was written until then is the result. */
export interface SamplesResult {
  readonly samples: readonly SampleText[];
  readonly columns: readonly ColumnInfo[];
  readonly precision: Precision;
  /** All columns together, from the first prompt to the last token. */
  readonly seconds: number;
}

/** A column as results and records have it. */
export interface ColumnInfo extends OnTop {
  readonly label: string;
  readonly model: string;
  /** Of the model's files; undefined where they could not be opened. */
  readonly identity?: string;
  readonly removed: readonly RemovedEntry[];
}
