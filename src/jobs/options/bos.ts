/** Where the begin-of-text token stands: one option for every job that reads text. */
import { BOS_CHOICES } from '../../format/bos';
import { l10n } from '../../l10n';
import { choice } from '../option';

export const begin = {
  bos: choice(
    BOS_CHOICES,
    'begin-of-text token. auto: before every row, window, example and question, if the model’s own tokenizer puts one before a ' +
      'text; window: there in any case; stream: once before a whole text, not before questions, as in the paper; none: nowhere',
    { noun: () => l10n.t('begin-of-text token'), placeholder: 'where', default: 'auto', implied: true },
  ),
};
