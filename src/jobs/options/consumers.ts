/** Options by which other programs run what Coppice wrote. Without them none is started. */
import { l10n } from '../../l10n';
import { flag, folder } from '../option';

/** Their names. Only the person who runs a job gives them: no agent does. */
export const PROGRAM_OPTIONS = ['consumers', 'consumersFrom'] as const;

/** @param help of the switch */
export const consumers = (help: string) => ({
  consumers: flag(help, { noun: () => l10n.t('other programs'), wasOn: true }),
  consumersFrom: folder(
    'a folder whose node_modules, or whose Python, these programs may come from too; code beside the model never runs',
    { noun: () => l10n.t('a folder of programs'), needs: 'consumers', byHand: true },
  ),
});
