/** The order in which blocks go by each criterion, on one axis: what criteria agree on, and what they do not. */
import * as Plot from '@observablehq/plot';
import type { ScoreDigest } from '../../../src/protocol/panel';
import { blockAxis } from './block-axis';
import { numeric } from '../numbers';
import { seriesStyleOf } from './series';

const RANK_HEIGHT = 120;

/** Place of each block in the criterion's order, from 1; equal ones in the order of the model. */
export function placesOf({ blocks }: ScoreDigest): Map<number, number> {
  const sorted = [...blocks].sort((a, b) => numeric(a.score) - numeric(b.score) || a.index - b.index);
  return new Map(sorted.map(({ index }, i) => [index, i + 1]));
}

/** Ranks by all criteria: 0 goes first, 1 last. Ranks, because the scores have no common unit and long tails. */
export function rankChart(all: readonly ScoreDigest[], blocks: number, width: number): SVGSVGElement {
  const series = all.map((score) => {
    const places = placesOf(score);
    const points = [...places].map(([block, place]) => ({
      block,
      rank: places.size > 1 ? (place - 1) / (places.size - 1) : 0,
    }));
    return { style: seriesStyleOf(score.criterion), points: points.sort((a, b) => a.block - b.block) };
  });
  const dots = blocks * 6 < width;
  const axis = blockAxis(blocks, width);
  const svg = Plot.plot({
    ...axis,
    ...{ height: RANK_HEIGHT, marginTop: 20, marginBottom: 12 },
    style: { background: 'none', fontFamily: 'inherit', fontSize: '11px' },
    x: { ...axis.x, axis: null }, // the chart above has it
    y: {
      domain: [0, 1],
      ticks: [0, 0.5, 1],
      tickFormat: (rank: number) => (rank === 0 ? 'first' : rank === 1 ? 'last' : ''),
      label: '↑ Goes first … last, by each criterion',
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
    `Order in which blocks go, by ${series.map(({ style }) => style.name).join(', ')}; the table has the places.`,
  );
  return svg;
}
