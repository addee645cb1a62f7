/** Which models can be healed in closed form, and by which method. Pure: it loads nothing that computes. */
import type { Architecture, LayerShape } from '../checkpoint/architecture';
import { feedForwardKind, mixerKind } from '../checkpoint/kinds';
import { UserError } from '../errors';
import { option } from '../option-token';
import { HEAL_DEFAULTS, type HealMethod } from './methods';

const ONE_MATRIX = 'and healing corrects modules with one last matrix';

/** What the first blocks that are not healed have, and why that is not, as a clause; undefined if all are. */
function notHealedIn(layers: readonly LayerShape[]): string | undefined {
  for (const { mixer, ffn } of layers) {
    if (mixer.kind === 'parallel') return `blocks of it have ${mixerKind(mixer).words}, ${ONE_MATRIX}`;
    if (feedForwardKind(ffn).last(ffn) === undefined)
      return `blocks of it have ${feedForwardKind(ffn).words}, ${ONE_MATRIX}`;
  }
  return undefined;
}

type Healed = Pick<Architecture, 'style' | 'layers'>;

/** Whether a method of healing in closed form can heal this model; asked for none, the default one. */
export const healable = (architecture: Healed, method?: HealMethod): boolean =>
  whyNotHealed(architecture, method) === undefined;

/** Why a method cannot heal this model, as a clause for people; undefined if it can. */
export function whyNotHealed({ style, layers }: Healed, method: HealMethod = HEAL_DEFAULTS.method): string | undefined {
  const other = notHealedIn(layers);
  if (other !== undefined) return other;
  if (method !== 'refit' && layers.some(({ ffn }) => ffn.kind === 'experts'))
    return 'it changes all that a module adds, and blocks of it have experts beside the matrix that healing corrects';
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
  if (notHealedIn(architecture.layers) === undefined)
    throw new UserError(
      `Cannot heal ${architecture.family} by a ${method === 'scalar' ? 'factor' : 'fold'}`,
      why,
      `Use ${option('method', 'refit')}.`,
    );
  throw new UserError(`Cannot heal ${architecture.family}`, why, 'Retrain the pruned model.');
}
