/** The statistics of a tensor: numbers, and a histogram with both ends of its range. */
import type { TensorStatistics } from '../../src/protocol/short';
import { el, svg } from '../support/dom';
import { t } from '../support/l10n';
import { formatCount, formatNumber, formatShare } from '../../src/format/numbers';

const HEIGHT = 80;

export function statisticsView(statistics: TensorStatistics): HTMLElement {
  const { elements, min, max, mean, standardDeviation, zeros, nan, infinite } = statistics;
  const number = (value: number | null): string => (value === null ? t('none') : formatNumber(value));
  const part = (count: number): string =>
    `${formatCount(count)}${count > 0 ? ` (${formatShare(count, elements)})` : ''}`;
  const facts: readonly (readonly [string, string, boolean?])[] = [
    [t('Minimum'), number(min)],
    [t('Maximum'), number(max)],
    [t('Mean'), number(mean)],
    [t('Standard deviation'), number(standardDeviation)],
    [t('Zeros'), part(zeros)],
    ['NaN', part(nan), nan > 0],
    [t('Infinite'), part(infinite), infinite > 0],
  ];
  return el(
    'div',
    { class: 'statistics' },
    el(
      'dl',
      { class: 'facts' },
      ...facts.map(([name, value, bad]) =>
        el('div', { class: bad ? 'bad' : undefined }, el('dt', {}, name), el('dd', {}, value)),
      ),
    ),
    min === null || max === null ? null : histogram(statistics, min, max),
  );
}

function histogram({ histogram: bins }: TensorStatistics, min: number, max: number): HTMLElement {
  const most = Math.max(...bins, 1);
  const step = (max - min) / bins.length;
  const fullest = bins.indexOf(most);
  const label = t(
    'Histogram with {0} bins from {1} to {2}; peak of {3} values near {4}',
    bins.length,
    formatNumber(min),
    formatNumber(max),
    formatCount(most),
    formatNumber(min + (fullest + 0.5) * step, 3),
  );
  const bars = bins.map((count, i) => {
    // A bin with a single value stays visible next to one with millions.
    const height = count === 0 ? 0 : Math.max(1, (count / most) * HEIGHT);
    const bar = svg('rect', { x: i, y: HEIGHT - height, width: 1, height, class: 'bar' });
    bar.append(
      svg(
        'title',
        {},
        `${formatNumber(min + i * step, 4)} … ${formatNumber(min + (i + 1) * step, 4)}: ${formatCount(count)}`,
      ),
    );
    return bar;
  });
  return el(
    'figure',
    {},
    svg(
      'svg',
      {
        class: 'histogram',
        viewBox: `0 0 ${bins.length} ${HEIGHT}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': label,
      },
      ...bars,
    ),
    el('figcaption', { class: 'quiet' }, el('span', {}, formatNumber(min, 4)), el('span', {}, formatNumber(max, 4))),
  );
}
