/** What an export measured of a file that it wrote, in words. English, for the terminal and for agents. */
import { formatNumber } from '../format/numbers';
import type { MeasuredKind } from './results/export';

export const measuredWords = ({ perplexity, tokensPerSecond }: MeasuredKind): string =>
  [
    ...(perplexity ? [`perplexity ${formatNumber(Number(perplexity.ppl), 5)} on ${perplexity.tokens} tokens`] : []),
    ...(tokensPerSecond === undefined ? [] : [`${formatNumber(Number(tokensPerSecond), 3)} tokens/s`]),
  ].join(', ');
