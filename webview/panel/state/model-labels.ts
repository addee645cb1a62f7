/**
 * Names of the models that a run measured beside each other. Records hold them in English, so that they name the same
 * model in every language. The page translates them for display.
 */
import { t } from '../../support/l10n';
import { blockList } from '../numbers';

/** The model that a run read, with all its blocks. */
export const ORIGINAL = 'Original';

/** The model without these blocks. @param removed ascending, or the list as a record has it */
export const withoutLabel = (removed: readonly number[] | string): string =>
  `Without ${typeof removed === 'string' ? removed : blockList(removed)}`;

/** Whether the name is that of a model without some blocks, which is not written to a file. */
export const isPlanLabel = (label: string): boolean => label.startsWith('Without ');

/** The name of a model as the page shows it. Names of files stay as they are. */
export function modelText(label: string): string {
  if (label === ORIGINAL) return t('Original');
  const [, model, blocks] = /^(?:(.+), w|W)ithout ([\w., –-]+)$/.exec(label) ?? [];
  if (blocks === undefined) return label;
  return model === undefined ? t('Without {0}', blocks) : t('{0} without {1}', model, blocks);
}
