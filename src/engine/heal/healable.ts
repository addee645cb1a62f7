/** Which models can be healed in closed form: those whose modules end with a Linear that adds to the residual stream. */
import type { Architecture } from '../checkpoint/architecture';
import { UserError } from '../errors';
import { command, option } from '../option-token';

/**
 * Refuses a model with a norm behind o_proj and down_proj, because what the module adds is not linear in their weights then.
 * @throws UserError
 */
export function requireHealable({ style, family }: Architecture): void {
  if (style.norms === 'before') return;
  throw new UserError(
    `Cannot heal ${family} in closed form`,
    'healing fits a linear layer whose result is added to the residual stream, and this family has a norm behind it',
    `Remove blocks without it, and train what is left: ${command('retrain', 'CHECKPOINT', option('out', 'DIR'))}.`,
  );
}
