/** What `coppice eval` prints. */
import { counted } from '../../engine/counted';
import { facts, formatCount, formatNumber, formatSeconds } from '../terminal/text';
import type { Page } from './page';

export const evalPage: Page<'eval'> = (_, { style }) => ({
  page: ({ ppl, meanNll, tokens, windows, window, bos, removed, seconds }, { device }) => [
    ...facts([
      ['perplexity', style.bold(formatNumber(ppl))],
      ['mean loss', `${formatNumber(meanNll)} nats a token`],
      [
        'text',
        `${counted(tokens, 'token', formatCount)} scored in ${counted(windows, 'window', formatCount)} of ${window}, BOS: ${bos}`,
      ],
      ['removed', removed.join(',') || 'nothing'],
      ['time', `${formatSeconds(seconds)} on ${device?.provider ?? 'cpu'}`],
    ]),
  ],
});
