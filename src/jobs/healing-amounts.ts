/** How much text healing takes, and which. Does not use VS Code. */
import type { Architecture } from '../engine/checkpoint/architecture';
import { HEAL_DEFAULTS } from '../engine/heal/methods';
import type { RowShape } from '../engine/importance/estimate';

/** Text that the unpruned model writes, in place of a file. */
export const SELF = 'self';

/** Tokens of text: the default, and a quarter of it, which heals nearly as well. */
export const HEAL_TOKENS = { normal: HEAL_DEFAULTS.tokens, quick: HEAL_DEFAULTS.tokens / 4 } as const;

/** Rows of the usual length, or of the model's context if that is shorter. */
export function healingRows({ context }: Pick<Architecture, 'context'>, tokens: number): RowShape {
  const length = Math.min(HEAL_DEFAULTS.length, context);
  return { rows: Math.max(1, Math.round(tokens / length)), length };
}
