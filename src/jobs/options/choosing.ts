/** Choosing blocks: what a criterion is given, and how many blocks go. */
import { value } from '../../engine/option-token';
import { l10n } from '../../l10n';
import { flag, parameters, part, whole } from '../option';
import { begin } from './bos';
import { calibration } from './calibration';
import { magnitude, searching } from './criterion';

/** Whether parts that are out of the question read all rows. */
const racing = {
  race: flag('ppl, kl, greedy and energy: measure every part on all rows, also those that are out of the question', {
    default: true,
    recorded: true,
  }),
  confidence: part(
    'ppl, kl, greedy and energy: how sure it must be that a part that is not measured on all rows is not among the chosen ones (default: 0.999)',
    { noun: () => l10n.t('the confidence'), placeholder: 'p', recorded: true },
  ),
};

/** The rows that a criterion reads, and the options of single criteria. */
export const scoring = { ...calibration, ...begin, ...magnitude, ...searching, ...racing };

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
