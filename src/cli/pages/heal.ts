/** What `coppice heal` prints. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatCounted } from '../../format/words';
import { formatNumber, formatPercent } from '../../format/numbers';
import type { HealNumbers } from '../../jobs/results/common';
import { facts } from '../terminal/text';
import type { Page } from './page';

const agreement = ({ top1 }: HealNumbers): string => formatPercent(Number(top1));

export const healPage: Page<'heal'> = (_, { shown }) => ({
  page: ({ removed, method, heldOut, fit, weights, out, patch, seconds, device, precision }) => {
    const { before, after, rows } = heldOut ?? fit;
    const change = (name: 'ppl' | 'kl'): string =>
      `${formatNumber(Number(before[name]))} before, ${formatNumber(Number(after[name]))} after`;
    return facts([
      ['removed', removed.join(', ')],
      ['method', method],
      ['perplexity', `${change('ppl')} (${formatCounted(rows, 'row')}${heldOut ? ' not fitted' : ''})`],
      ['KL divergence', `${change('kl')} nats from the original`],
      ['same next token', `${agreement(before)} before, ${agreement(after)} after`],
      ['weights', weights],
      ...[out, patch].flatMap((file): [string, string][] => (file === null ? [] : [['written', shown(file)]])),
      ['time', `${formatSeconds(seconds)}, ${arithmeticWords(precision, device)}`],
    ]);
  },
});
