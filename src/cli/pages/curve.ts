/** A curve as a page: one line per point. */
import { counted, formatCounted } from '../../format/words';
import type { CurvePoint } from '../../engine/evaluate/curve';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber } from '../../format/numbers';
import { table } from '../terminal/text';
import type { Page } from './page';

export const curvePage: Page<'curve'> = (_, { shown }) => ({
  page: ({ points, text, seconds, device }) => [
    ...pointsPage(points),
    '',
    `Measured on ${formatCounted(text.rows, 'row')} of ${counted(text.length, 'token')} of ${shown(text.name)}, in ${formatSeconds(seconds)} on ${device}.`,
  ],
});

/** One line per point, with the blocks added since the previous point. */
function pointsPage(points: readonly CurvePoint[]): string[] {
  const full = points[0].ppl;
  return table(
    ['>removed', '>perplexity', '>× whole', '>parameters', 'new'],
    points.map(({ count, ppl, parameters, removed }, i) => {
      const fresh = i === 0 ? [] : removed.filter((block) => !points[i - 1].removed.includes(block));
      return [
        String(count),
        formatNumber(ppl, 5),
        formatNumber(ppl / full, 3),
        formatCount(parameters),
        fresh.join(', '),
      ];
    }),
  );
}
