/**
 * Which parts of a model make a difference that can be told from noise. All places use this one definition: the interval that
 * holds for all parts at once (src/engine/joint-interval.ts) excludes the whole model's number.
 */

/** The ends of an interval. */
export interface Ends {
  readonly low: number;
  readonly high: number;
}

/** Whether the whole model may be as good; false where the interval is not known. @param whole its perplexity, or divergence */
export const isNoise = ({ low, high }: Ends, whole: number): boolean => low <= whole && whole <= high;

/** A divergence of a model from itself, but for rounding. No other one is below it, so it tells nothing of noise. */
const ITSELF = 1e-5;

/** Whether noise can be told of scores with this whole model: its perplexity or divergence; undefined if it has none. */
export const hasNoise = (whole: number | undefined): whole is number => whole !== undefined && Math.abs(whole) > ITSELF;

/** Enough for most models: intervals of 10 samples are twice as wide, and only partly because of their number. */
const USUAL_SAMPLES = 32;

/** How many samples to score on next, to tell more parts from noise. */
export const moreSamples = (samples: number): number => (samples < USUAL_SAMPLES ? USUAL_SAMPLES : 2 * samples);
