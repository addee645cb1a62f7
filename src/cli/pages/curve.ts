/** A curve as a page: one line per point. */
import { arithmeticWords } from '../../format/arithmetic';
import { counted, formatCounted } from '../../format/words';
import { needsCalibration } from '../../engine/importance/criteria';
import type { Within } from '../../engine/evaluate/within';
import type { AnsweredPoint } from '../../jobs/runs/curve-tasks';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber } from '../../format/numbers';
import { table } from '../terminal/text';
import type { Page } from './page';

export const curvePage: Page<'curve'> = (options, { shown }) => ({
  page: ({ points, within, text, seconds, device, precision }) => [
    ...pointsPage(points),
    ...(within ? ['', withinLine(within)] : []),
    '',
    `Measured on ${formatCounted(text.rows, 'row')} of ${counted(text.length, 'token')} of ${shown(text.name)}, in ${formatSeconds(seconds)}, ${arithmeticWords(precision, device)}.`,
    ...(options.text === undefined && needsCalibration(options.criterion) ? [FLATTERS] : []),
  ],
});

/** Of rows that also ranked the blocks. */
const FLATTERS =
  'The same text ranked the blocks, so these perplexities look better than they are: --text measures on another one.';

/** "8 blocks can go: without 3, 5, … the divergence is 0.31, at most 0.5 nats" */
export function withinLine({ maxKl, count, removed, kl }: Within): string {
  const limit = `${formatNumber(maxKl, 3)} nats`;
  if (count === 0) return `no block can go: KL divergence would exceed ${limit}`;
  return `${counted(count, 'block')} can go (${removed.join(', ')}): KL divergence is then ${formatNumber(kl, 3)}, within ${limit}`;
}

/** One line per point, with the blocks added since the previous point. */
function pointsPage(points: readonly AnsweredPoint[]): string[] {
  const full = points[0].ppl;
  const compared = points[0].kl !== undefined;
  const asked = points[0].accuracy !== undefined;
  return table(
    [
      '>removed',
      '>perplexity',
      '>× original',
      ...(compared ? ['>KL', '>same next token'] : []),
      ...(asked ? ['>accuracy'] : []),
      '>parameters',
      'new',
    ],
    points.map(({ count, ppl, parameters, removed, kl = NaN, top1 = NaN, accuracy = NaN, difference }, i) => {
      const fresh = i === 0 ? [] : removed.filter((block) => !points[i - 1].removed.includes(block));
      return [
        String(count),
        formatNumber(ppl, 5),
        formatNumber(ppl / full, 3),
        ...(compared ? [formatNumber(Math.max(0, kl), 3), `${(100 * top1).toFixed(0)} %`] : []),
        ...(asked ? [accuracyWords(accuracy, difference)] : []),
        formatCount(parameters),
        fresh.join(', '),
      ];
    }),
  );
}

/** "48.2 %", or with the paired difference to the whole model "46.1 % (−2.1 ± 1.4)" */
function accuracyWords(accuracy: number, difference: AnsweredPoint['difference']): string {
  const share = `${(100 * accuracy).toFixed(1)} %`;
  if (difference === undefined) return share;
  const { difference: by, interval } = difference;
  const change = `${by < 0 ? '−' : '+'}${Math.abs(100 * by).toFixed(1)}`;
  return `${share} (${change}${interval === null ? '' : ` ± ${(100 * interval).toFixed(1)}`})`;
}
