/** What removing blocks can bring, in one sentence: on opening a model, before any work. */
import type { Summary } from '../engine/checkpoint/summary';
import { formatPercent } from '../format/numbers';
import { l10n } from '../l10n';

/** Above this share of the files the embedding decides, not the blocks. */
const MUCH = 0.3;

/** "70 % of this file is the embedding: removing blocks can save 27 % at most." Undefined for a model that can only be inspected. */
export function savingWords({
  shares,
  blocks,
  tied,
  format,
}: Pick<Summary, 'shares' | 'blocks' | 'tied' | 'format'>): string | undefined {
  if (!shares || !blocks) return undefined;
  const [embedding, most, each] = [shares.embedding, shares.blocks, shares.blocks / blocks].map(formatPercent);
  const isFile = format === 'gguf';
  if (shares.embedding < MUCH) {
    return isFile
      ? l10n.t('The blocks are {0} of this file: removing one of {1} saves about {2}.', most, blocks, each)
      : l10n.t('The blocks are {0} of this model: removing one of {1} saves about {2}.', most, blocks, each);
  }
  if (tied === false) {
    return isFile
      ? l10n.t('{0} of this file are embedding and head: removing blocks can save {1} at most.', embedding, most)
      : l10n.t('{0} of this model are embedding and head: removing blocks can save {1} at most.', embedding, most);
  }
  return isFile
    ? l10n.t('{0} of this file is the embedding: removing blocks can save {1} at most.', embedding, most)
    : l10n.t('{0} of this model is the embedding: removing blocks can save {1} at most.', embedding, most);
}
