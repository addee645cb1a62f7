/**
 * How speed is measured: which batches M and lengths L, from which prompts, and how often (Shortened LLaMA, §4 and
 * `gen_batch_eval_time.py` of the official code). Pure.
 */

/** The text that the paper's models continue: 12 tokens with LLaMA's tokenizer and BOS. */
export const PAPER_PROMPT = 'The Leaning Tower of Pisa is known for';

/** How tokens are drawn. No token ends a text. */
export const PAPER_SAMPLING = { temperature: 1, topK: 50, topP: 0.95 } as const;
export const PAPER_SEED = 1234;

/** Length of a prompt for a model without a tokenizer. */
export const PAPER_PROMPT_TOKENS = 12;

export interface Protocol {
  /** Texts side by side (M), ascending. */
  readonly batches: readonly number[];
  /** New tokens of each text (L), ascending. */
  readonly newTokens: readonly number[];
  /** Measured runs of each cell. */
  readonly runs: number;
  /** Runs before them that do not count. */
  readonly warmup: number;
}

/** The paper's exact settings: 30 runs of each cell, of which the first 10 are dropped. */
export const PAPER: Protocol = {
  batches: [1, 8, 16, 32, 64, 128, 256],
  newTokens: [128, 512],
  runs: 20,
  warmup: 10,
};

/** Minutes on a small machine; enough to see how a model scales. */
export const QUICK: Protocol = { batches: [1, 8, 32], newTokens: [128], runs: 3, warmup: 1 };

/** The values once each, ascending: a series goes from cells that need little memory to those that need much. */
export const ascending = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);
