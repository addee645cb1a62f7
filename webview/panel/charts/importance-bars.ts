/** Draws the bars of the importance chart, with what lies over them: intervals, fields of noise, the end of a suggestion. */
import * as Plot from '@observablehq/plot';
import { shortNumber } from '../../../src/format/numbers';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { type BlockPlace, blockPlaces, fullAxis } from './block-axis';
import type { Bar, Field } from './importance-facts';
import { type Scale, ticksOf } from './importance-scale';
import { isRough, SCREENED, SCREENED_DASHES } from './importance-words';
import { draw } from './plot';

export const HEIGHT = 300;
const [TOP, BOTTOM] = [42, 46];
/** Pixels between two ticks of the upright axis, at least. */
const TICK_ROOM = 22;
/** The end of a suggestion. */
const LINE = { stroke: 'var(--ink)', 'stroke-dasharray': '5 3' } as const;

export interface BarChart {
  /** By position. */
  readonly bars: readonly Bar[];
  /** Blocks from left to right. */
  readonly order: readonly number[];
  readonly scale: Scale;
  readonly base: number;
  /** Name of the upright axis. */
  readonly name: string;
  /** What is noise around the whole model, of each block. */
  readonly fields: readonly Field[];
  /** The end of a suggestion, as an amount, and what it says; undefined for none. */
  readonly threshold: { readonly amount: number; readonly words: string } | undefined;
  readonly width: number;
  readonly left: number;
}

export interface DrawnBars {
  readonly svg: SVGSVGElement;
  /** Pixels from the top to an amount; to the top of the axis for one beyond it. */
  readonly y: (amount: number) => number;
  readonly places: (block: number) => BlockPlace;
}

export function drawBars(chart: BarChart): DrawnBars {
  const { bars, order, scale, base, width, left, threshold } = chart;
  const { bottom, top, amountOf, placeOf } = scale;
  const ticks = ticksOf(scale, base, (HEIGHT - TOP - BOTTOM) / TICK_ROOM);
  const labels = new Map(ticks.map(({ amount, label }) => [amount, label]));
  const axis = fullAxis(order, width, left);
  const svg = draw({
    ...axis,
    height: HEIGHT,
    marginTop: TOP,
    marginBottom: BOTTOM,
    y: {
      ...(scale.log ? { type: 'symlog', constant: scale.linearTo } : { type: 'linear' }),
      domain: [bottom, top],
      grid: true,
      ticks: ticks.map(({ amount }) => amount),
      tickFormat: (amount: number) => labels.get(amount) ?? '',
      label: null,
    },
    marks: [
      xAxis(order, (width - left) / order.length),
      ...barMarks(bars, (bar) => (bar.off ? top : amountOf(bar.value))),
      ...noiseMarks(chart),
      Plot.ruleX(
        bars.filter(({ off, joint: { low, high } }) => !off && Number.isFinite(low) && Number.isFinite(high)),
        {
          x: 'block',
          y1: ({ joint }: Bar) => Math.max(bottom, amountOf(joint.low)),
          y2: ({ joint }: Bar) => amountOf(joint.high),
          stroke: 'var(--ink)',
          strokeWidth: 1,
          className: 'whiskers',
        },
      ),
      ...signMarks(bars, bottom),
      Plot.text(
        bars.filter(({ off, unknown }) => off && !unknown),
        { x: 'block', y: top, text: ({ value }: Bar) => shortNumber(value), dy: -7, fontSize: 11, fill: 'var(--ink)' },
      ),
      Plot.text([`↑ ${chart.name}`], {
        frameAnchor: 'top-left',
        dx: 2 - left,
        dy: 8 - TOP,
        textAnchor: 'start',
        lineAnchor: 'middle',
      }),
      Plot.ruleY([0], { stroke: 'var(--ink)', strokeOpacity: scale.measure === 'score' ? 0.4 : 0.9 }),
      ...(threshold
        ? [
            Plot.ruleY([threshold.amount], {
              stroke: LINE.stroke,
              strokeDasharray: LINE['stroke-dasharray'],
              className: 'threshold',
            }),
          ]
        : []),
    ],
  });
  svg.prepend(hatch());
  const y = (amount: number): number =>
    TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, Math.max(0, Number.isNaN(amount) ? 0 : placeOf(amount))));
  const places = blockPlaces(svg);
  svg.append(...bars.filter(({ off, unknown }) => off && !unknown).map(({ block }) => zigzag(places(block))));
  if (threshold) svg.append(thresholdKey(chart, threshold.words));
  return { svg, y, places };
}

/** Numbers of blocks. In an order that is not theirs each one is told, upright if there is no other room. */
function xAxis(order: readonly number[], slot: number): Plot.Markish {
  const isSorted = order.some((block, i) => block !== i);
  const upright = isSorted && slot < 17;
  const every = Math.ceil((upright ? 11 : isSorted ? 17 : 20) / slot);
  return Plot.axisX({
    tickSize: 0,
    tickPadding: upright ? 18 : 14,
    ticks: order.filter((block, i) => (isSorted ? i : block) % every === 0),
    label: isSorted ? `${t('Block, the least important first')} →` : `${t('Block')} →`,
    labelOffset: 40,
    ...(upright && { tickRotate: -90, fontSize: 9 }),
  });
}

function barMarks(bars: readonly Bar[], ends: (bar: Bar) => number): Plot.Markish[] {
  const bar = { x: 'block', y1: 0, y2: ends, rx: 1.5 } as const;
  const those = (removed: boolean, screened: boolean): Bar[] =>
    bars.filter((each) => !each.unknown && each.removed === removed && isRough(each) === screened);
  const gone = { fill: 'url(#removed-hatch)', stroke: 'var(--removed)', strokeWidth: 1, className: 'bars-removed' };
  return [
    Plot.barY(those(false, false), { ...bar, fill: 'var(--kept)', className: 'bars-kept' }),
    Plot.barY(those(false, true), {
      ...bar,
      fill: SCREENED.fill,
      fillOpacity: SCREENED['fill-opacity'],
      stroke: SCREENED.stroke,
      strokeDasharray: SCREENED_DASHES,
      className: 'bars-screened',
    }),
    Plot.barY(those(true, false), { ...bar, ...gone }),
    Plot.barY(those(true, true), { ...bar, ...gone, strokeDasharray: SCREENED_DASHES }),
  ];
}

/** A light field as wide as the bar's place, with dotted edges for who sees no light field. */
function noiseMarks({ fields, scale: { bottom, top } }: BarChart): Plot.Markish[] {
  if (fields.length === 0) return [];
  const edges = fields.flatMap(({ block, half }) => [-half, half].map((amount) => ({ block, amount })));
  return [
    Plot.barY(fields, {
      x: 'block',
      y1: ({ half }: Field) => Math.max(bottom, -half),
      y2: ({ half }: Field) => Math.min(top, half),
      inset: -1,
      fill: 'var(--ink)',
      fillOpacity: 0.13,
      className: 'noise',
    }),
    Plot.tickY(
      edges.filter(({ amount }) => amount > bottom && amount < top),
      { x: 'block', y: 'amount', inset: -1, stroke: 'var(--ink)', strokeOpacity: 0.7, strokeDasharray: '1 3' },
    ),
  ];
}

/** Signs below the bars: ✕ for removed blocks, a square for protected ones. */
const signMarks = (bars: readonly Bar[], bottom: number): Plot.Markish[] => [
  Plot.text(
    bars.filter(({ removed }) => removed),
    { x: 'block', y: bottom, text: () => '✕', dy: 8, fill: 'var(--removed)', fontWeight: 'bold', fontSize: 10 },
  ),
  Plot.dot(
    bars.filter((each) => each.protected && !each.removed),
    { x: 'block', y: bottom, dy: 8, symbol: 'square', r: 2.4, fill: 'var(--protected)' },
  ),
];

/** The break of a bar that has no end. */
function zigzag({ center, bar }: BlockPlace): SVGElement {
  const teeth = Math.max(2, 2 * Math.round(bar / 12));
  const step = (bar + 2) / teeth;
  const line = Array.from({ length: teeth }, (_, i) => `l${step} ${i % 2 === 0 ? -5 : 5}`).join('');
  return svgEl('path', {
    d: `M${center - bar / 2 - 1} ${TOP + 16}${line}`,
    class: 'break',
    fill: 'none',
    stroke: 'var(--paper)',
    'stroke-width': 3,
  });
}

/** Says what the dashed line is, above the bars: on them it would hide their ends. */
function thresholdKey({ width }: BarChart, words: string): SVGElement {
  return svgEl(
    'g',
    { class: 'threshold-key', 'font-size': 11, fill: 'var(--ink)' },
    svgEl('text', { x: width - 34, y: 24, 'text-anchor': 'end' }, words),
    svgEl('path', { d: `M${width - 28} 20H${width - 2}`, ...LINE }),
  );
}

/** Stripes for removed blocks, which are visible without colour. */
function hatch(): SVGElement {
  const stripe = svgEl('path', { d: 'M0 6 6 0M-1 1 1 -1M5 7 7 5', stroke: 'var(--removed)', 'stroke-width': 1.4 });
  return svgEl(
    'defs',
    {},
    svgEl('pattern', { id: 'removed-hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse' }, stripe),
  );
}
