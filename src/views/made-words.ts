/** How Coppice made a model, in words. Does not use VS Code. */
import { l10n } from '../l10n';
import type { Origin } from './origins';

/** "pruned, healed", "adapter story-adapter merged", "exported". */
export function madeWords({ kind, healed, adapter }: Pick<Origin, 'kind' | 'healed' | 'adapter'>): string {
  switch (kind) {
    case 'prune':
      return l10n.t('pruned');
    case 'heal':
      return healed ? l10n.t('pruned, healed') : l10n.t('pruned');
    case 'iterate':
      return l10n.t('pruned in rounds');
    case 'merge':
      return adapter === undefined ? l10n.t('adapter merged') : l10n.t('{0} merged', adapter);
    case 'retrain':
      return l10n.t('retrained');
    case 'export':
      return l10n.t('exported');
    default:
      return l10n.t('made by Coppice');
  }
}

/** Icon of VS Code for a model that was made so. */
export function madeIcon({ kind }: Pick<Origin, 'kind'>): string {
  switch (kind) {
    case 'prune':
    case 'heal':
    case 'iterate':
      return 'fold';
    case 'merge':
      return 'git-merge';
    case 'retrain':
      return 'mortar-board';
    case 'export':
      return 'package';
    default:
      return 'layers';
  }
}
