/** What `coppice merge` prints. */
import { formatCounted } from '../../format/words';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount } from '../../format/numbers';
import { facts } from '../terminal/text';
import type { Page } from './page';

export const mergePage: Page<'merge'> = (_, { shown }) => ({
  page: ({ rank, alpha, targets, adaptedBlocks, removed, parametersAfter, bytesAfter, out, seconds }) =>
    facts([
      ['adapter', `rank ${rank}, α ${alpha}, on ${targets.join(', ')} of ${formatCounted(adaptedBlocks, 'block')}`],
      ['removed', removed.join(', ') || 'nothing'],
      ['size', `${formatCount(parametersAfter)} parameters, ${formatBytes(bytesAfter)}`],
      ['written', `${shown(out)} in ${formatSeconds(seconds)}`],
    ]),
});
