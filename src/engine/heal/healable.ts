/** Which models can be healed in closed form, and by which method. Pure: it loads nothing that computes. */
import type { Architecture } from '../checkpoint/architecture';
import { UserError } from '../errors';
import { command, option } from '../option-token';
import { HEAL_DEFAULTS, type HealMethod } from './methods';

type Style = Pick<Architecture, 'style'>;

/** Whether a method of healing in closed form can heal this model; asked for none, the default one. */
export const healable = (architecture: Style, method?: HealMethod): boolean =>
  whyNotHealed(architecture, method) === undefined;

/** Why a method cannot heal this model, as a clause for people; undefined if it can. */
export function whyNotHealed({ style }: Style, _method: HealMethod = HEAL_DEFAULTS.method): string | undefined {
  if (style.norms === 'before') return undefined;
  return 'healing fits a linear layer whose result is added to the residual stream, and this family has a norm behind it';
}

/**
 * Refuses a model that the method cannot heal.
 * @throws UserError
 */
export function requireHealable(architecture: Architecture, method?: HealMethod): void {
  const why = whyNotHealed(architecture, method);
  if (why === undefined) return;
  throw new UserError(
    `Cannot heal ${architecture.family} in closed form`,
    why,
    `Remove blocks without it, and train what is left: ${command('retrain', 'CHECKPOINT', option('out', 'DIR'))}.`,
  );
}
