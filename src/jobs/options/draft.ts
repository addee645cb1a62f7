/** A small model that proposes tokens, which the one that writes checks several at once. */
import { value } from '../../engine/option-token';
import { l10n } from '../../l10n';
import { checkpointOr, choice, whole } from '../option';

/** The model itself in so many bits, as a draft. */
export const DRAFT_WORDS = ['int4', 'int8'] as const;
const DRAFT_PRECISIONS = ['int4', 'int8', 'float32'] as const;
export type DraftPrecision = (typeof DRAFT_PRECISIONS)[number];

/** Four tokens at once gained most, or nearly, for the models that were measured. */
const DRAFT_LENGTH = 4;

export const drafting = {
  draft: checkpointOr(
    DRAFT_WORDS,
    'let a draft propose tokens, which the model checks several at once; the text is its own, and comes sooner where they agree. ' +
      `The draft: the model in ${DRAFT_WORDS.join(' or ')}, the model without blocks (${value('parts', '13-18')}), or another one`,
    { noun: () => l10n.t('the draft'), placeholder: 'model' },
  ),
  draftLength: whole('the most tokens that the draft proposes at once', {
    default: DRAFT_LENGTH,
    max: 16,
    noun: () => l10n.t('the tokens that a draft proposes at once'),
    recorded: true,
  }),
  draftPrecision: choice(DRAFT_PRECISIONS, 'arithmetic of a draft that is another model or lacks blocks', {
    default: 'int4',
    noun: () => l10n.t('the precision of the draft'),
    recorded: true,
  }),
};
