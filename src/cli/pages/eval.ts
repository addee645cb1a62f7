/** What `coppice eval` prints. */
import { formatCounted } from '../../format/words';
import { formatSeconds } from '../../format/durations';
import { formatNumber } from '../../format/numbers';
import { facts } from '../terminal/text';
import type { Page } from './page';

export const evalPage: Page<'eval'> = (_, { style }) => ({
  page: ({ ppl, meanNll, tokens, windows, window, bos, removed, seconds }, { device }) => [
    ...facts([
      ['perplexity', style.bold(formatNumber(ppl))],
      ['mean loss', `${formatNumber(meanNll)} nats a token`],
      [
        'text',
        `${formatCounted(tokens, 'token')} scored in ${formatCounted(windows, 'window')} of ${window}, BOS: ${bos}`,
      ],
      ['removed', removed.join(',') || 'nothing'],
      ['time', `${formatSeconds(seconds)} on ${device?.provider ?? 'cpu'}`],
    ]),
  ],
});
