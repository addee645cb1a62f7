/** Models that cannot be healed, told before anything is asked: one line with the reason and the way out. Does not use VS Code. */
import type { Architecture } from '../../engine/checkpoint/architecture';
import { healable, whyNotHealed } from '../../engine/heal/healable';
import { HEAL_DEFAULTS, type HealMethod } from '../../engine/heal/methods';
import { type Criterion, criterionInfo } from '../../engine/importance/criteria';
import { isClosed, type IterativeMethod } from '../../engine/iterate/methods';
import { l10n } from '../../l10n';

type Model = Pick<Architecture, 'family' | 'style' | 'layers'>;

/** "olmo2 cannot be healed: … Retrain instead."; undefined for a model that can be. */
export function noHealingWords(model: Model, method?: HealMethod): string | undefined {
  const why = whyNotHealed(model, method);
  if (why === undefined) return undefined;
  return healable(model)
    ? l10n.t('{0} cannot be healed so: {1}. Heal with {2} instead.', model.family, why, HEAL_DEFAULTS.method)
    : l10n.t('{0} cannot be healed: {1}. Retrain instead.', model.family, why);
}

/** The same for a criterion that heals what it measures. */
export const noScoringWords = (model: Model, criterion: Criterion): string | undefined =>
  criterionInfo(criterion).heals ? noHealingWords(model) : undefined;

/** The same for what heals between the rounds of an iterative pruning. */
export const noRoundsWords = (model: Model, method: IterativeMethod): string | undefined =>
  isClosed(method) ? noHealingWords(model, method) : undefined;
