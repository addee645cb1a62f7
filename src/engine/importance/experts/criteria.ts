/** How experts are chosen. Pure: definitions of jobs name these. */

/**
 * reap: the mean of an expert's weight times the norm of what it gives, over the tokens routed to it (Lasby et al. 2025).
 * frequency: the number of these tokens. random: by the seed alone.
 */
export const EXPERT_CRITERIA = ['reap', 'frequency', 'random'] as const;
export type ExpertCriterion = (typeof EXPERT_CRITERIA)[number];

/** The share that goes unless another is asked for. */
export const EXPERT_RATIO = 0.25;

/** From this share of dropped experts on, models suffer much. */
export const MANY_EXPERTS = 0.5;

/** Of the calibration rows, those that decide whether factors of kept experts are applied: every so many. */
export const HELD_OUT_EVERY = 4;

/**
 * Arrays of (tokens, hidden) that fitting these factors takes: states of both models before and after a block, what lies between its router
 * and its experts, what all experts give, and what each of a token's kept ones gives.
 */
export const fittingArrays = (chosen: number): number => 8 + chosen;
