/** The methods of healing and their default settings. Pure: it loads nothing that computes. */

/**
 * refit: corrects o_proj and down_proj of every kept block after the first cut. fold: one map per cut, folded into the
 * Linear before it (ReplaceMe, Shopkhoev et al. 2025, with a ridge towards plain removal). scalar: one factor per cut
 * (Prune&Comp, Chen et al. 2026).
 */
export const HEAL_METHODS = ['refit', 'fold', 'scalar'] as const;

/** How weights are corrected in closed form. */
export type HealMethod = (typeof HEAL_METHODS)[number];

export const HEAL_DEFAULTS = {
  method: 'refit',
  /** Tokens of text; a quarter of it heals nearly as well in a third of the time. */
  tokens: 32768,
  /** Tokens of a row. */
  length: 128,
  /** Share of the rows that is not fitted; it decides whether the healed model is better than the plain one. */
  heldOut: 1 / 64,
  /** Share of a correction that is taken. Below 1 because each later block sees inputs that the earlier ones moved. */
  step: 0.5,
  /** The same before a cut, and for a fold. */
  stepCut: 0.8,
  /** Ridge of a fold, in medians of the diagonal of XᵀX. */
  foldRidge: 0.3,
  /** Ridge of a refit where a norm is behind the Linear, in means of XᵀX's eigenvalues times means of what it multiplies by, squared. */
  normRidge: 0.1,
} as const satisfies { readonly method: HealMethod; readonly [name: string]: unknown };

/** Ridges that `auto` tries. */
export const RIDGE_GRID: readonly number[] = [0.1, 0.3, 1, 3, 10];

/** The same where a norm is behind the Linear. */
export const NORM_RIDGE_GRID: readonly number[] = [0.03, 0.1, 0.3, 1, 3];

/**
 * The ridge of a refit: the fewer tokens for the width of the FFN, the stronger.
 * @param ffn width of the block's FFN
 * @param tokens that are fitted
 */
export const refitRidge = (ffn: number, tokens: number): number => Math.min(5, Math.max(0.1, (6 * ffn) / tokens));
