/** Which models can be healed in closed form, and by which method. Pure: it loads nothing that computes. */
import type { Architecture } from '../checkpoint/architecture';
import { UserError } from '../errors';
import { option } from '../option-token';
import { HEAL_DEFAULTS, type HealMethod } from './methods';

type Healed = Pick<Architecture, 'style' | 'layers'>;

/** Whether a method of healing in closed form can heal this model; asked for none, the default one. */
export const healable = (architecture: Healed, method?: HealMethod): boolean =>
  whyNotHealed(architecture, method) === undefined;

/** Why a method cannot heal this model, as a clause for people; undefined if it can. */
export function whyNotHealed({ style, layers }: Healed, method: HealMethod = HEAL_DEFAULTS.method): string | undefined {
  if (method !== 'refit' && layers.some(({ ffn }) => ffn.kind === 'experts'))
    return 'it changes all that a module adds, and blocks of it have experts, which healing leaves as they are';
  if (style.norms === 'before' || method !== 'fold') return undefined;
  return 'a fold is a linear map of what a module adds, and this family has a norm between the module’s last Linear and the stream, which a map cannot pass';
}

/**
 * Refuses a model that the method cannot heal.
 * @throws UserError
 */
export function requireHealable(architecture: Architecture, method?: HealMethod): void {
  const why = whyNotHealed(architecture, method);
  if (why === undefined) return;
  throw new UserError(
    `Cannot heal ${architecture.family} by a ${method === 'scalar' ? 'factor' : 'fold'}`,
    why,
    `Use ${option('method', 'refit')}.`,
  );
}
