/** What of the numbers of models with different vocabularies compares. */
import { t } from '../../support/l10n';

/** One sentence, where such models stand beside each other. */
export const otherVocabulariesNote = (): string =>
  t('Their vocabularies differ, so perplexities of a token do not compare: bits per byte of the same text do.');
