/** The methods of the paper's comparison (Shortened LLaMA, Tables 1 and 2). Pure. */
import { WIDTH_METHODS, type WidthMethod } from '../importance/width/methods';

/** Choices of blocks. Both keep the first four blocks and the last two unless told otherwise. */
export const DEPTH_METHODS = ['ppl', 'taylor'] as const;
/** Choices of blocks, and the rivals, which take heads and neurons of every block. */
export const VERSUS_METHODS = [...DEPTH_METHODS, ...WIDTH_METHODS] as const;

/** How blocks are chosen in the comparison. */
export type DepthMethod = (typeof DEPTH_METHODS)[number];
/** A way to prune, in depth or in width. */
export type VersusMethod = (typeof VERSUS_METHODS)[number];

/** As the paper names them; the user's own choice of blocks as well. */
export const METHOD_TITLES: Readonly<Record<VersusMethod | 'plan', string>> = {
  ppl: 'PPL',
  taylor: 'Taylor+',
  'llm-pruner': 'LLM-Pruner',
  flap: 'FLAP',
  'wanda-sp': 'Wanda-sp',
  plan: 'Plan',
};

export const isWidthMethod = (method: VersusMethod): method is WidthMethod =>
  WIDTH_METHODS.some((each) => each === method);

/** Shares of the blocks that are removed where no number is given: about those of the paper. */
const SHARES = [0.1, 0.2, 0.3];

/** Three numbers of removed blocks. @param most that can be removed */
export const usualCounts = (blocks: number, most: number): number[] => [
  ...new Set(SHARES.map((share) => Math.max(1, Math.min(most, Math.round(share * blocks))))),
];
