/** What `coppice bench` prints. */
import { findingOf, type WidthRates } from '../../engine/evaluate/grid/width-finding';
import { textArithmetic } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import { facts, table } from '../terminal/text';
import type { Page } from './page';

/** A single new token has no decode speed: it comes from the prompt's pass. */
const speedOf = (tokensPerSecond: number, [low, high]: readonly [number, number]): string =>
  Number.isFinite(tokensPerSecond)
    ? `${formatNumber(tokensPerSecond, 4)} tokens/s, ${formatNumber(low, 4)} to ${formatNumber(high, 4)}`
    : 'not measured';

export const benchPage: Page<'bench'> = (_, { style }) => ({
  page: ({
    parameters,
    bytes,
    removed,
    loadSeconds,
    promptTokens,
    newTokens,
    peakRssBytes,
    device,
    precision,
    ...speed
  }) => [
    ...facts([
      ['size', `${formatCount(parameters)} parameters, ${formatBytes(bytes)}`],
      ['removed', removed.join(', ') || 'nothing'],
      ['load', formatSeconds(loadSeconds)],
      ['prefill', `${speedOf(speed.prefillTokensPerSecond, speed.prefillRange)} (${counted(promptTokens, 'token')})`],
      ['first token', `${formatNumber(speed.timeToFirstTokenSeconds, 3)} s after the prompt`],
      ['decode', `${speedOf(speed.decodeTokensPerSecond, speed.decodeRange)} (${counted(newTokens, 'token')})`],
      ['memory', `${formatBytes(peakRssBytes)} at its peak`],
      ['computed', textArithmetic(precision, device)],
    ]),
    ...(speed.byWidth ? ['', style.bold('Products by FFN width'), ...widthLines(speed.byWidth)] : []),
  ],
});

function widthLines({ hidden, tokens, widths, slowdown }: WidthRates): string[] {
  const columns = tokens.map((count) => `>GFLOP/s, ${counted(count, 'token')}`);
  const rows = widths.map(({ width, multiple, own, rates }) => [
    `${width}${own ? ' (this model)' : ''}`,
    multiple === null ? 'no multiple of 8' : `multiple of ${multiple}`,
    ...rates.map(
      ({ median, low, high }) =>
        `${formatNumber(median / 1e9, 3)} (${formatNumber(low / 1e9, 3)} to ${formatNumber(high / 1e9, 3)})`,
    ),
  ]);
  return [
    ...table(['width', '', ...columns], rows),
    findingOf({ tokens, slowdown }),
    `(Both products of an FFN of ${hidden} inputs, in turns; median, least and most of all runs.)`,
  ];
}
