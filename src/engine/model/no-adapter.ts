/** Training and Taylor scores need the stored weights, without an adapter on top. */
import { UserError } from '../errors';
import { command, option } from '../option-token';
import { layerKeys } from '../checkpoint/weight-key';
import type { Model } from './model';

/**
 * Refuses a model that was opened with an adapter.
 * @param work what needs the stored weights: "score by Taylor"
 * @throws UserError
 */
export function requireNoAdapter({ weights }: Pick<Model, 'weights'>, work: string): void {
  const { layers } = weights.architecture;
  const keys = layers.flatMap((_, layer) => layerKeys(weights.architecture, layer));
  if (!keys.some((key) => weights.lowRank?.(key))) return;
  throw new UserError(
    `cannot ${work} with an adapter on the model`,
    'it computes gradients of the stored weights',
    `Merge the adapter first: ${command('merge', 'CHECKPOINT', option('adapter', 'DIR'), option('out', 'DIR'))}.`,
  );
}
