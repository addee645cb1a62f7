/** Defaults of sampling and searching. Pure: it imports nothing. */

/** Rows of calibration text, and tokens of a row: as in Shortened LLaMA. */
export const DEFAULT_DRAWING = { samples: 10, length: 128 } as const;

/** Tokens per evaluation window, as in Shortened LLaMA. */
export const DEFAULT_WINDOW = 128;

/** Random seed. */
export const DEFAULT_SEED = 1234;

/** Seconds of a search after its greedy start. */
export const DEFAULT_BUDGET = 60;
