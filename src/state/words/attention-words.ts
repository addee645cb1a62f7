/** What is special about the attention of a block, in words. */
import type { LayerShape } from '../../engine/checkpoint/architecture';
import { formatCount } from '../../format/numbers';
import { l10n } from '../../l10n';

/** A line for each; none where every position attends to all before it and is rotated. */
export const attentionWords = ({ mixer }: Pick<LayerShape, 'mixer'>): string[] => {
  if (mixer.kind !== 'attention') return [];
  const { window, rope } = mixer;
  return [
    ...(window === null ? [] : [l10n.t('Attends to the last {0} tokens', formatCount(window))]),
    ...(rope === null ? [l10n.t('No rotary position embedding')] : []),
  ];
};
