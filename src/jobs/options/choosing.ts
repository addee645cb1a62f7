/** Choosing blocks: what a criterion is given, and how many blocks go. */
import { value } from '../../engine/option-token';
import { l10n } from '../../l10n';
import { parameters, part, whole } from '../option';
import { begin } from './bos';
import { calibration } from './calibration';
import { magnitude, searching } from './criterion';

/** The rows that a criterion reads, and the options of single criteria. */
export const scoring = { ...calibration, ...begin, ...magnitude, ...searching };

/** How many blocks are removed. */
export const amount = {
  count: whole('remove this many blocks', { noun: () => l10n.t('the count'), conflicts: ['ratio', 'targetParams'] }),
  ratio: part('remove at most this share of all parameters, such as 0.2', {
    noun: () => l10n.t('the share'),
    placeholder: 'r',
    conflicts: ['targetParams'],
  }),
  targetParams: parameters(
    `keep at least this many parameters: ${value('parameters', '5.4B')}, ${value('parameters', '110M')}`,
    { noun: () => l10n.t('the target size') },
  ),
};
