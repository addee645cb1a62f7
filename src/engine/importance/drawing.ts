/** What is drawn unless something else is asked for. Pure: it imports nothing. */

/** Rows of calibration text, and tokens of a row: as in Shortened LLaMA. */
export const DEFAULT_DRAWING = { samples: 10, length: 128 } as const;

/** Seed of everything that is drawn. */
export const DEFAULT_SEED = 1234;
