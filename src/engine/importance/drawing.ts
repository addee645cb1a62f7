/** What is drawn unless something else is asked for. Pure: it imports nothing. */

/** Rows of calibration text, and tokens of a row: as in Shortened LLaMA. */
export const DEFAULT_DRAWING = { samples: 10, length: 128 } as const;

/** Tokens of a window of a text whose perplexity is measured: as in Shortened LLaMA. */
export const DEFAULT_WINDOW = 128;

/** Seed of everything that is drawn. */
export const DEFAULT_SEED = 1234;
