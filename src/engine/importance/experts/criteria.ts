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
