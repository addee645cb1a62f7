/**
 * The methods of width pruning that are the rivals in Shortened LLaMA's comparison, and their variants. Pure: it loads
 * nothing that computes.
 */

/** LLM-Pruner (Ma et al. 2023), FLAP (An et al. 2024), and Wanda-sp, its form of Wanda (Sun et al. 2024). */
export const WIDTH_METHODS = ['llm-pruner', 'flap', 'wanda-sp'] as const;
/** A method of width pruning. */
export type WidthMethod = (typeof WIDTH_METHODS)[number];

/**
 * What LLM-Pruner sums for a channel. With g = ∂L/∂w, and g_s that of the mean loss of row s of N: first |w·g|; second
 * w²·Σg_s²/N; mix |w·g − ½·w²·Σg_s²/N|; vectorize |Σ w·g| over the channel of a weight; l1 |w| and l2 w², which need no
 * text.
 */
export const SALIENCES = ['first', 'second', 'mix', 'vectorize', 'l1', 'l2'] as const;
export type Salience = (typeof SALIENCES)[number];

/** FLAP compares all units of the model (al-am), or those of a block and kind among themselves (ul-um). */
export const FLAP_STRUCTURES = ['al-am', 'ul-um'] as const;
export type FlapStructure = (typeof FLAP_STRUCTURES)[number];

/** What FLAP measures of a channel: its fluctuation, weighted by the Linear or not (ifv), or its weighted norm (wifn). */
export const FLAP_METRICS = ['wifv', 'wifn', 'ifv'] as const;
export type FlapMetric = (typeof FLAP_METRICS)[number];

export const WIDTH_DEFAULTS = {
  salience: 'first',
  structure: 'al-am',
  metric: 'wifv',
  compensation: true,
} as const satisfies Required<Pick<WidthRequest, 'salience' | 'structure' | 'metric' | 'compensation'>>;

/** Blocks from `first` to `last`, 0-based, both included. */
export interface BlockRange {
  readonly first: number;
  readonly last: number;
}

/** A method and its settings. A method ignores the settings of the others. */
export interface WidthRequest {
  readonly method: WidthMethod;
  /** Only for LLM-Pruner: the blocks that it prunes; `defaultRange` when undefined. */
  readonly range?: BlockRange;
  /** Only for LLM-Pruner. */
  readonly salience?: Salience;
  /** Only for FLAP. */
  readonly structure?: FlapStructure;
  /** Only for FLAP. */
  readonly metric?: FlapMetric;
  /** Only for FLAP: what removed channels give in the mean is added as a bias. */
  readonly compensation?: boolean;
  /** Neurons are kept in multiples of this number. */
  readonly multiple?: number;
}

/** How much is kept: a ratio as the method means it, or the nearest size in parameters. */
export type WidthAmount = { readonly ratio: number } | { readonly parameters: number };

/**
 * The blocks that LLM-Pruner prunes by default: without the first four and the last two, from 12 blocks on; of fewer
 * without the first and the last one; of one or two all.
 */
export function defaultRange(blocks: number): BlockRange {
  if (blocks >= 12) return { first: 4, last: blocks - 3 };
  return blocks > 2 ? { first: 1, last: blocks - 2 } : { first: 0, last: blocks - 1 };
}
