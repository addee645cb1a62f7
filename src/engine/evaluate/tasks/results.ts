/** Results of tasks: of items, of a task, and differences between models on the same items. */

/** What a model makes of a choice. */
export interface ChoiceResult {
  /** Σ ln p of its tokens. */
  readonly loglik: number;
  readonly tokens: number;
  /** Code points; accNorm takes the highest loglik / characters. */
  readonly characters: number;
  /** Whether every token of it is the model's first choice. */
  readonly greedy: boolean;
}

/** A question with choices. */
export interface ChoiceItemResult {
  /** Number of the record in the task's file, from 0. */
  readonly item: number;
  /** Number of the right choice. */
  readonly gold: number;
  readonly choices: readonly ChoiceResult[];
}

/** A question that the model answered by writing. */
export interface WrittenItemResult {
  readonly item: number;
  /** What the model wrote. */
  readonly text: string;
  readonly correct: boolean;
  /** Of a text that is judged by how much of it is new: the share of its runs of four tokens. It is the item's score. */
  readonly fresh?: number;
}

/** What a model answered to a question. */
export type ItemResult = ChoiceItemResult | WrittenItemResult;

/** Accuracy in a task. */
export interface TaskResult {
  readonly name: string;
  readonly items: number;
  /** Share of the items whose most likely choice is right. */
  readonly acc: number;
  /** Standard error: sample deviation / √items; null for a single item. */
  readonly accStderr: number | null;
  /** The same for loglik / characters; absent where lengths mean nothing (BoolQ, WinoGrande, written answers). */
  readonly accNorm?: number;
  readonly accNormStderr?: number | null;
  /** The metric that counts for this task. */
  readonly reported: 'acc' | 'accNorm';
  readonly results: readonly ItemResult[];
}

/** How far a model is from the first one on the same items. Differences are model − first, as shares: −0.021. */
export interface Difference {
  readonly label: string;
  readonly tasks: readonly TaskDifference[];
  /** Of the average; its interval from the items' differences in every task. Null without a task. */
  readonly average: PairedDifference | null;
}

/** A difference on the same items. */
export interface PairedDifference {
  readonly difference: number;
  /** Half of the 95 % interval: 1.96 · standard error of the paired difference; null where it has none. */
  readonly interval: number | null;
}

/** How far a model is from the first one in a task. */
export interface TaskDifference extends PairedDifference {
  readonly name: string;
  readonly metric: 'acc' | 'accNorm';
  /** Items in which the first model scores more, and this one: that only one of them has right. */
  readonly lost: number;
  readonly gained: number;
  /** McNemar's exact test: how likely so uneven a split is if both models were equally good. */
  readonly pValue: number;
  /** Items whose answers differ: record numbers. */
  readonly differing: readonly number[];
}

/** A question's text, so that a page can show it without the file. */
export interface QuestionText {
  readonly task: string;
  readonly item: number;
  readonly context: string;
  readonly choices: readonly string[];
}
