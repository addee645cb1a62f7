/** Which models can be healed in closed form: those whose modules end with a Linear that adds to the residual stream. */
import type { Architecture } from '../checkpoint/architecture';
import { UserError } from '../errors';
import { command, option } from '../option-token';

/** Whether what the modules add to the residual stream is linear in the weights of their last Linear. */
export const healable = ({ style }: Pick<Architecture, 'style'>): boolean => style.norms === 'before';

/**
 * Refuses a model with a norm behind o_proj and down_proj, because what the module adds is not linear in their weights then.
 * @throws UserError
 */
export function requireHealable(architecture: Architecture): void {
  if (healable(architecture)) return;
  const { family } = architecture;
  throw new UserError(
    `Cannot heal ${family} in closed form`,
    'healing fits a linear layer whose result is added to the residual stream, and this family has a norm behind it',
    `Remove blocks without it, and train what is left: ${command('retrain', 'CHECKPOINT', option('out', 'DIR'))}.`,
  );
}
