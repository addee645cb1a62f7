/** What `coppice bench` prints. */
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import { facts } from '../terminal/text';
import type { Page } from './page';

export const benchPage: Page<'bench'> = () => ({
  page: ({ parameters, bytes, removed, loadSeconds, promptTokens, newTokens, peakRssBytes, device, ...speed }) =>
    facts([
      ['size', `${formatCount(parameters)} parameters, ${formatBytes(bytes)}`],
      ['removed', removed.join(', ') || 'nothing'],
      ['load', formatSeconds(loadSeconds)],
      ['prefill', `${formatNumber(speed.prefillTokensPerSecond, 4)} tokens/s (${counted(promptTokens, 'token')})`],
      ['first token', `${formatNumber(speed.timeToFirstTokenSeconds, 3)} s after the prompt`],
      ['decode', `${formatNumber(speed.decodeTokensPerSecond, 4)} tokens/s (${counted(newTokens, 'token')})`],
      ['memory', `${formatBytes(peakRssBytes)} at its peak`],
      ['device', device],
    ]),
});
