/** The next step of a model in words. Does not use VS Code. */
import { l10n } from '../../l10n';
import type { NextAction } from '../../protocol/journey';

/** "score the blocks", "resume SmolLM2-135M-24-blocks" */
export function nextWords(next: NextAction): string {
  switch (next.action) {
    case 'open':
      return l10n.t('resume {0}', next.name);
    case 'score':
      return l10n.t('score the blocks');
    case 'suggest':
      return l10n.t('suggest blocks to prune');
    case 'prune':
      return l10n.t('prune: write the plan as a new model');
    case 'retrain':
      return l10n.t('retrain it');
    case 'merge':
      return l10n.t('merge the adapter');
    case 'export':
      return next.keepsTypes
        ? l10n.t('export a GGUF file with the same types')
        : l10n.t('export it for an application');
    case 'compare':
      return l10n.t('compare it with the original');
    case 'draft':
      return l10n.t('forecast a draft that makes it faster');
    case 'beforeAfter':
      return l10n.t('see both in Before and After');
    case 'code':
      return l10n.t('copy the code that loads it');
    default:
      return l10n.t('open the results');
  }
}
