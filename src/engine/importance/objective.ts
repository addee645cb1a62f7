/** What removals keep low. Pure: it loads nothing. */

/**
 * ppl: the perplexity of the text. kl: the divergence of the model's distributions from those of the unpruned model,
 * which does not reward a pruned model for being better on the text by accident.
 */
export const OBJECTIVES = ['ppl', 'kl'] as const;

/** What removals keep low: perplexity, or the divergence from the unpruned model. */
export type Objective = (typeof OBJECTIVES)[number];
