/** What a task of a recipe prints: its plan, its steps, its limits and its end. Does not use VS Code. */
import { basename } from 'node:path';
import { formatSeconds } from '../../format/durations';
import { capitalized } from '../../format/words';
import { brokenLimit, doneWords } from '../../host/recipes/recipe-words';
import { l10n } from '../../l10n';
import type { RecipeEnd, RecipeEvent } from '../../recipes/types';
import { verdictWords } from '../../recipes/words';
import { sumWords } from './plan-page';

/** Exit codes of a run, as the command line has them. */
export const EXIT_CODES = { done: 0, failed: 1, limit: 3 } as const;

/** Lines for what happens in a run. */
export function eventLines(event: RecipeEvent): string[] {
  switch (event.type) {
    case 'plan':
      return [
        sumWords(event.plan),
        ...(event.plan.withheld.length === 0
          ? []
          : [l10n.t('{0} asks for other programs. Tasks start none.', event.plan.withheld.join(', '))]),
      ];
    case 'start':
      return [l10n.t('Step {0} of {1}: {2}', event.at + 1, event.of, event.step)];
    case 'end': {
      const { name, state, finished, result, failure } = event.end;
      if (failure) return [`  ${capitalized(`${failure.what}: ${failure.why}. ${failure.action}`)}`];
      if (!finished) return [];
      const words = doneWords(finished, result).join(' · ');
      return [state === 'kept' ? l10n.t('  {0} was done before · {1}', name, words) : `  ${words}`];
    }
    case 'limit': {
      const { verdict } = event;
      if (!verdict.kept) return [`  ${brokenLimit(verdict)}`];
      return [l10n.t('  keeps to its limit {0}: {1}', verdict.limit, verdictWords(verdict))];
    }
  }
}

export function endLine({ recipe, ended, ran, seconds }: RecipeEnd): string {
  const name = basename(recipe.file);
  if (ended === 'limit') return l10n.t('{0}: a limit is broken.', name);
  if (ended === 'failed') return l10n.t('{0}: failed after {1}.', name, formatSeconds(seconds));
  return ran === 0 ? l10n.t('{0}: nothing to do.', name) : l10n.t('{0}: done in {1}.', name, formatSeconds(seconds));
}
