/**
 * How far the stream of the shorter model is from that of the whole one after every kept block, before the block is
 * corrected and after it: two bars beside each other, on the axis of blocks.
 */
import * as Plot from '@observablehq/plot';
import type { HealDigest } from '../../../src/protocol/panel';
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { el, svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { blockAxis, blockPlaces, LEFT } from './block-axis';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry, sign } from './legend';
import { type Chart, draw } from './plot';
import { known, type Numbers, numbersBy } from './table';
import { addTargets, type Target } from './targets';

const HEIGHT = 230;
const [TOP, BOTTOM] = [28, 42];
/** Above this ratio of the largest error to the smallest, a linear axis would show nothing but the largest. */
const LOG_FROM = 12;

/** The correction of one Linear, with its errors for each fitted token. */
interface Correction {
  readonly block: number;
  readonly tensor: string;
  readonly before: number;
  readonly after: number;
}

/** @param blocks of the whole model; removed ones have no bars */
export function drawHealing(heal: HealDigest, blocks: number, width: number, frame: ChartFrame): Drawing {
  const removed = heal.removed.filter((block) => typeof block === 'number');
  const corrections = correctionsOf(heal);
  const table = tableOf(corrections);
  const bars = lastOfEachBlock(corrections);
  if (bars.length === 0) return { charts: [], table };
  const { svg, top } = barChart(bars, removed, blocks, width);
  const places = blockPlaces(svg);
  const targets = bars.map((bar): Target => {
    const { center, left, width: across } = places(bar.block);
    const tip = tipOf(corrections.filter(({ block }) => block === bar.block));
    return {
      key: String(bar.block),
      x: left,
      y: TOP - 8,
      width: across,
      height: HEIGHT - TOP - BOTTOM + 24,
      tipX: center,
      tipY: top(bar),
      tip,
      act: () => frame.hideTip(),
    };
  });
  addTargets(svg, t('Hidden-state error after each block'), targets, frame);
  return { charts: [svg], table, legend: legendOf() };
}

/** Errors of a step; scalar has none. */
const correctionsOf = ({ steps, tokens }: HealDigest): Correction[] =>
  steps
    .map(({ block, tensor, errorBefore, errorAfter }) => {
      const [before, after] = [errorBefore, errorAfter].map((error) => numeric(error) / (tokens ?? 1));
      return { block, tensor, before, after };
    })
    .filter(({ before, after }) => Number.isFinite(before) && Number.isFinite(after));

/** After its last correction the stream leaves the block. */
const lastOfEachBlock = (corrections: readonly Correction[]): Correction[] => [
  ...new Map(corrections.map((correction) => [correction.block, correction])).values(),
];

function barChart(
  bars: readonly Correction[],
  removed: readonly number[],
  blocks: number,
  width: number,
): { svg: Chart; top: (bar: Correction) => number } {
  const errors = bars.flatMap(({ before, after }) => [before, after]);
  const most = Math.max(...errors);
  const positive = errors.filter((error) => error > 0);
  const least = Math.min(...positive, most);
  const log = least > 0 && most / least > LOG_FROM;
  // A logarithmic axis has no zero, so bars start where the axis starts.
  const bottom = log ? least / 1.6 : 0;
  const end = most > 0 ? most * (log ? 1.3 : 1.06) : 1;
  const every = Math.ceil(blocks / ((width - LEFT) / 26));
  const axis = blockAxis(blocks, width);
  const band = ((width - axis.marginLeft - axis.marginRight) / (blocks + axis.x.padding)) * (1 - axis.x.padding);
  const half = Math.max(0.5, band / 2 + 0.25);
  const shown = (error: number): number => Math.max(bottom, error);
  const bar = { x: 'block', y1: bottom, rx: Math.min(1.5, band / 6) } as const;
  const svg = draw({
    ...axis,
    height: HEIGHT,
    marginTop: TOP,
    marginBottom: BOTTOM,
    y: {
      type: log ? 'log' : 'linear',
      domain: [bottom, end],
      grid: true,
      ticks: log ? 4 : 5,
      tickFormat: (value: number) => shortNumber(value, 3),
      label: `↑ ${t('Squared error of the hidden state per token')}`,
    },
    marks: [
      Plot.axisX({
        tickSize: 0,
        tickPadding: 10,
        ticks: Array.from({ length: blocks }, (_, block) => block).filter((block) => block % every === 0),
        label: `${t('Block')} →`,
        labelOffset: 36,
      }),
      Plot.barY(bars, {
        ...bar,
        y2: ({ before }: Correction) => shown(before),
        insetRight: half,
        fill: 'var(--series-1)',
        fillOpacity: 0.28,
        stroke: 'var(--series-1)',
        strokeWidth: 1,
        className: 'bars-before',
      }),
      Plot.barY(bars, {
        ...bar,
        y2: ({ after }: Correction) => shown(after),
        insetLeft: half,
        fill: 'var(--good)',
        className: 'bars-after',
      }),
      Plot.text(removed, {
        x: (block: number) => block,
        y: bottom,
        text: () => '✕',
        dy: -6,
        fill: 'var(--removed)',
        fontWeight: 'bold',
        fontSize: 10,
      }),
      Plot.ruleY([bottom], { stroke: 'var(--ink)', strokeOpacity: 0.4 }),
    ],
  });
  const y = svg.scale('y')!;
  return { svg, top: ({ before, after }) => Number(y.apply(shown(Math.max(before, after)))) };
}

const PLACES: Readonly<Record<string, string>> = {
  o_proj: t('after its attention'),
  down_proj: t('after the block'),
};

function tipOf(corrections: readonly Correction[]): string[] {
  return [
    t('Block {0}', corrections[0].block),
    ...corrections.map(({ tensor, before, after }) =>
      t(
        'error {0}: {1} → {2} ({3})',
        PLACES[tensor] ?? tensor,
        shortNumber(before, 3),
        shortNumber(after, 3),
        changeOf(before, after),
      ),
    ),
  ];
}

/** "−21 %" */
const changeOf = (before: number, after: number): string =>
  before > 0 ? formatPercent(after / before - 1).replace('-', '−') : '–';

const tableOf = (corrections: readonly Correction[]): Numbers =>
  numbersBy(
    () => corrections,
    [
      [t('Block'), ({ block }) => block],
      [t('Corrected'), ({ tensor }) => tensor],
      [t('Error before'), ({ before }) => known(before)],
      [t('Error after'), ({ after }) => known(after)],
      [t('Remaining share'), ({ before, after }) => (before > 0 ? after / before : null)],
    ],
  );

function legendOf(): HTMLElement[] {
  const bar = (attributes: Record<string, string | number>): SVGElement =>
    sign(10, svgEl('rect', { x: 1, y: 1, width: 8, height: 10, rx: 1.5, ...attributes }));
  return [
    legendEntry(
      bar({ fill: 'var(--series-1)', 'fill-opacity': 0.28, stroke: 'var(--series-1)' }),
      t('Before correction'),
    ),
    legendEntry(bar({ fill: 'var(--good)' }), t('After correction')),
    legendEntry(el('span', { class: 'sign removed-sign', 'aria-hidden': 'true' }, '✕'), t('Removed')),
  ];
}
