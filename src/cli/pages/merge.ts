/** What `coppice merge` prints. */
import { counted } from '../../engine/counted';
import { facts, formatBytes, formatCount, formatSeconds } from '../terminal/text';
import type { Page } from './page';

export const mergePage: Page<'merge'> = (_, { shown }) => ({
  page: ({ rank, alpha, targets, adaptedBlocks, removed, parametersAfter, bytesAfter, out, seconds }) =>
    facts([
      [
        'adapter',
        `rank ${rank}, α ${alpha}, on ${targets.join(', ')} of ${counted(adaptedBlocks, 'block', formatCount)}`,
      ],
      ['removed', removed.join(', ') || 'nothing'],
      ['size', `${formatCount(parametersAfter)} parameters, ${formatBytes(bytesAfter)}`],
      ['written', `${shown(out)} in ${formatSeconds(seconds)}`],
    ]),
});
