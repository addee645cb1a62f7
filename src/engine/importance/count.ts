/**
 * How many blocks to remove for a requested size. All six counts that Shortened LLaMA published equal n =
 * floor((P_total − P_target) / P_block), with the sizes of its Table 1.
 */
import { UserError } from '../errors';
import { option, set } from '../option-token';

/** The sizes that the floor rule needs, in parameters. A tied matrix counts once. */
export interface ModelSize {
  readonly total: number;
  /** Parameters of one block; their mean when blocks differ. */
  readonly block: number;
}

/** The requested size. A ratio is the share of all parameters to remove, above 0 and below 1. */
export type SizeGoal =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'ratio'; readonly ratio: number }
  | { readonly kind: 'target'; readonly parameters: number };

/** Tolerance for rounding of the quotient: a ratio of exactly n blocks gives n. */
const QUOTIENT_SLACK = 1e-9;

/** A size in parameters. */
export type ParametersGoal = Exclude<SizeGoal, { readonly kind: 'count' }>;

/**
 * How many parameters may go for a size.
 * @throws UserError when the goal is malformed
 */
export function parametersToRemove(goal: ParametersGoal, total: number): number {
  if (goal.kind === 'ratio') {
    if (goal.ratio > 0 && goal.ratio < 1) return goal.ratio * total;
    throw new UserError(
      `cannot remove a share of ${goal.ratio}`,
      'the ratio must be between 0 and 1',
      `Give ${option('ratio')} the share of all parameters to remove, such as 0.2.`,
    );
  }
  if (goal.parameters > 0 && goal.parameters < total) return total - goal.parameters;
  throw new UserError(
    `cannot prune to ${goal.parameters} parameters`,
    `the model has ${total}`,
    `Give ${option('targetParams')} a number below that, such as 5.4B.`,
  );
}

/**
 * The number of blocks to remove, at least 1.
 * @throws UserError when the goal is malformed or asks for less than one block.
 */
export function blocksToRemove(goal: SizeGoal, size: ModelSize): number {
  if (goal.kind !== 'count') return floorRule(parametersToRemove(goal, size.total), size);
  if (Number.isInteger(goal.count) && goal.count >= 1) return goal.count;
  throw new UserError(
    `cannot remove ${goal.count} blocks`,
    'the count is not a whole number of at least 1',
    `Give ${option('count')} a number such as 6.`,
  );
}

function floorRule(reduction: number, size: ModelSize): number {
  const count = Math.floor(reduction / size.block + QUOTIENT_SLACK);
  if (count >= 1) return count;
  throw new UserError(
    `removing ${Math.round(reduction)} parameters is less than one block`,
    `a block has ${size.block}, ${((100 * size.block) / size.total).toFixed(2)} % of the model`,
    `Ask for at least that much, or ${set('count', 1, 'give')}.`,
  );
}

/**
 * Reads a parameter count: "5422977024", "5.4B", "360M".
 * @throws UserError when `text` is not a parameter count
 */
export function parseParameterCount(text: string, option: string): number {
  const match = /^\s*(\d{1,15}(?:\.\d{1,9})?)\s*([kmbt]?)\s*$/i.exec(text);
  const unit = { '': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 }[match?.[2].toLowerCase() ?? ''];
  if (!match || unit === undefined) {
    throw new UserError(
      `${option} "${text}" cannot be read`,
      'it is not a number of parameters',
      `Write it like ${option} 5422977024, ${option} 5.4B or ${option} 360M.`,
    );
  }
  return Math.round(Number(match[1]) * unit);
}

/** Above this share of the blocks a model is seldom of use. */
const MUCH = 1 / 3;

/** The most blocks that are removed for a size. */
export const mostForSize = (blocks: number): number => Math.floor(blocks * MUCH);
