/** The vocabulary of a model, as its line in the tree has it. Does not use VS Code. */
import type { Architecture } from '../../engine/checkpoint/architecture';
import { parametersOf } from '../../engine/checkpoint/parameters';
import { formatCount, formatPercent, shortCount } from '../../format/numbers';
import { l10n } from '../../l10n';

export interface VocabularyWords {
  /** "Vocabulary: 262,144 tokens" */
  readonly label: string;
  /** "63 % of the parameters" */
  readonly description: string;
  readonly hover: string;
}

/** @param from tokens of the model that it was trimmed from; undefined for one that was not trimmed */
export function vocabularyWords(architecture: Architecture, from: number | undefined): VocabularyWords {
  const { vocabulary, tied } = architecture;
  const all = parametersOf(architecture);
  const rows = all - parametersOf({ ...architecture, vocabulary: 0 });
  const count = formatCount(vocabulary);
  return {
    label:
      from === undefined
        ? l10n.t('Vocabulary: {0} tokens', count)
        : l10n.t('Vocabulary: {0} of {1} tokens', count, formatCount(from)),
    description: l10n.t('{0} of the parameters', formatPercent(rows / all)),
    hover: [
      tied
        ? l10n.t(
            '{0} of {1} parameters are rows of the embedding, which is also the LM head.',
            shortCount(rows),
            shortCount(all),
          )
        : l10n.t(
            '{0} of {1} parameters are rows of the embedding and of the LM head.',
            shortCount(rows),
            shortCount(all),
          ),
      l10n.t('“Coppice: {0}” keeps only those that your texts need.', l10n.t('Trim Vocabulary…')),
    ].join('\n'),
  };
}
