/** What `coppice bench` prints. */
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import { facts } from '../terminal/text';
import type { Page } from './page';

/** A single new token has no decode speed: it comes from the prompt's pass. */
const speedOf = (tokensPerSecond: number, [low, high]: readonly [number, number]): string =>
  Number.isFinite(tokensPerSecond)
    ? `${formatNumber(tokensPerSecond, 4)} tokens/s, ${formatNumber(low, 4)} to ${formatNumber(high, 4)}`
    : 'not measured';

export const benchPage: Page<'bench'> = () => ({
  page: ({ parameters, bytes, removed, loadSeconds, promptTokens, newTokens, peakRssBytes, device, ...speed }) =>
    facts([
      ['size', `${formatCount(parameters)} parameters, ${formatBytes(bytes)}`],
      ['removed', removed.join(', ') || 'nothing'],
      ['load', formatSeconds(loadSeconds)],
      ['prefill', `${speedOf(speed.prefillTokensPerSecond, speed.prefillRange)} (${counted(promptTokens, 'token')})`],
      ['first token', `${formatNumber(speed.timeToFirstTokenSeconds, 3)} s after the prompt`],
      ['decode', `${speedOf(speed.decodeTokensPerSecond, speed.decodeRange)} (${counted(newTokens, 'token')})`],
      ['memory', `${formatBytes(peakRssBytes)} at its peak`],
      ['device', device],
    ]),
});
