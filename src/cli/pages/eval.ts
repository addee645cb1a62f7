/** What `coppice eval` prints. */
import { bosSuffix } from '../../format/bos';
import { formatCounted } from '../../format/words';
import { textArithmetic } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatNumber, formatPercent } from '../../format/numbers';
import type { EvaluateResult, RepetitionResult } from '../../jobs/results/eval';
import { facts } from '../terminal/text';
import type { Page } from './page';

export const evalPage: Page<'eval'> = (_, { style }) => ({
  page: (result, { device }) => {
    const { ppl, meanNll, bitsPerByte, tokens, windows, window, bos, removed, precision, seconds } = result;
    return facts([
      ['perplexity', style.bold(formatNumber(ppl))],
      ['mean loss', `${formatNumber(meanNll)} nats a token`],
      ...(bitsPerByte === undefined ? [] : [['bits per byte', formatNumber(bitsPerByte)] as [string, string]]),
      ...comparisonLines(result),
      ...(result.repetition ? [['repetition', repetitionWords(result.repetition)] as [string, string]] : []),
      [
        'text',
        `${formatCounted(tokens, 'token')} scored in ${formatCounted(windows, 'window')} of ${window}${bosSuffix(bos)}`,
      ],
      ['removed', removed.join(',') || 'nothing'],
      ['time', `${formatSeconds(seconds)}, ${textArithmetic(precision, device?.provider)}`],
    ]);
  },
});

function comparisonLines({ kl, top1, against }: EvaluateResult): [string, string][] {
  if (kl === undefined || top1 === undefined || !against) return [];
  return [
    ['KL divergence', `${formatNumber(kl, 4)} nats from ${against.model}`],
    ['same next token', `${formatPercent(top1)} of the tokens: both find the same one most likely`],
  ];
}

function repetitionWords({ texts, mean, unpruned }: RepetitionResult): string {
  const share = (value: number): string => formatPercent(value);
  const own = mean === null ? 'not known: the texts are too short' : share(Number(mean));
  const beside = unpruned === null ? '' : `, the original ${share(Number(unpruned))}`;
  return `${own} of ${formatCounted(texts, 'greedy text')}${beside}`;
}
