/** The order in which each criterion removes blocks, on one axis. It shows where the criteria agree. */
import * as Plot from '@observablehq/plot';
import type { ScoreDigest } from '../../../src/protocol/panel';
import { blockAxis } from './block-axis';
import { t } from '../../support/l10n';
import { numeric } from '../numbers';
import { seriesStyleOf } from './series';

const RANK_HEIGHT = 120;

/**
 * Rank of each block by the criterion, from 1 (removed first). Blocks of equal score are in the order of the model. A
 * criterion that removes in turn ranks the blocks that it removes.
 */
export function ranksOf({ blocks, removals }: Pick<ScoreDigest, 'blocks' | 'removals'>): Map<number, number> {
  if (removals) return new Map(removals.map((block, i) => [block, i + 1]));
  const sorted = [...blocks].sort((a, b) => numeric(a.score) - numeric(b.score) || a.index - b.index);
  return new Map(sorted.map(({ index }, i) => [index, i + 1]));
}

/** Draws ranks from 0 (removed first) to 1. It draws ranks because scores have no common unit and long tails. */
export function rankChart(all: readonly ScoreDigest[], blocks: number, width: number): SVGSVGElement {
  const series = all.map((score) => {
    const ranks = ranksOf(score);
    const last = score.removals ? blocks : ranks.size; // the blocks that are not removed come after these
    const points = [...ranks].map(([block, rank]) => ({
      block,
      rank: last > 1 ? (rank - 1) / (last - 1) : 0,
    }));
    return { style: seriesStyleOf(score.criterion), points: points.sort((a, b) => a.block - b.block) };
  });
  const dots = blocks * 6 < width;
  const axis = blockAxis(blocks, width);
  const svg = Plot.plot({
    ...axis,
    height: RANK_HEIGHT,
    marginTop: 20,
    marginBottom: 12,
    style: { background: 'none', fontFamily: 'inherit', fontSize: '11px' },
    x: { ...axis.x, axis: null }, // the chart above has this axis
    y: {
      domain: [0, 1],
      ticks: [0, 0.5, 1],
      tickFormat: (rank: number) => (rank === 0 ? t('first') : rank === 1 ? t('last') : ''),
      label: `↑ ${t('Removal order by criterion (bottom = first)')}`,
      grid: true,
    },
    marks: series.flatMap(({ style: { color, dash, symbol }, points }) => [
      Plot.lineY(points, { x: 'block', y: 'rank', stroke: color, strokeWidth: 1.5, strokeDasharray: dash }),
      ...(dots ? [Plot.dot(points, { x: 'block', y: 'rank', fill: color, symbol, r: 2.6 })] : []),
    ]),
  }) as SVGSVGElement;
  svg.setAttribute('role', 'img');
  svg.setAttribute(
    'aria-label',
    t('Removal order of the blocks by {0}. The table has the ranks.', series.map(({ style }) => style.name).join(', ')),
  );
  return svg;
}
