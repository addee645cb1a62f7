/**
 * Perplexity against the number of removed blocks, one line a criterion, with parameters and estimated speed on a
 * second axis. The plan as it is now is a provisional point; retrained models are points of their own.
 */
import * as Plot from '@observablehq/plot';
import type { CurveDigest, PanelModel, PanelPlan, RetrainedDigest, WhatIfState } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { type ChartFrame, type Drawing, legendEntry } from './frame';
import { blockList, count, numeric, short, times } from '../numbers';
import { lineSign, type SeriesStyle } from './series';
import { type Cell, known } from './table';
import { addTargets, type Target } from './targets';

export interface CurveSeries {
  readonly name: string;
  readonly style: SeriesStyle;
  readonly points: CurveDigest['points'];
  readonly criterion: string;
  /** Name of the text that it was measured on. */
  readonly text: string;
  /** The model has no adapter, and nothing but the points’ blocks is left out. */
  readonly whole: boolean;
}

export interface CurveData {
  readonly series: readonly CurveSeries[];
  readonly model: PanelModel;
  readonly plan: PanelPlan;
  /** On the same rows as the series; without numbers where it is not. */
  readonly whatIf: WhatIfState;
  readonly retrained: readonly RetrainedDigest[];
}

interface Dot {
  readonly count: number;
  readonly ppl: number;
  readonly label: string;
  readonly removed: readonly number[];
  /** Of a curve's point: what chose these blocks. */
  readonly criterion?: string;
  readonly series?: SeriesStyle;
  readonly kind: 'curve' | 'whole' | 'plan' | 'retrained';
}

const HEIGHT = 400;
const LEFT = 54;
const RIGHT = 18;
const LOG_FROM = 12;

export function drawCurve(
  data: CurveData,
  width: number,
  frame: ChartFrame,
  choose: (removed: readonly number[], criterion?: string) => void,
): Drawing {
  const dots = dotsOf(data, frame.still);
  const svg = plotOf(data, dots, width, frame.still);
  const [x, y] = [svg.scale('x')!, svg.scale('y')!];
  const reach = Math.max(10, (width - LEFT - RIGHT) / Math.max(8, Math.max(...dots.map((dot) => dot.count))));
  const targets = dots
    .filter(({ ppl }) => Number.isFinite(ppl))
    .map((dot, i): Target => {
      const [cx, cy] = [Number(x.apply(dot.count)), Number(y.apply(dot.ppl))];
      const size = Math.min(24, reach);
      const tip = tipOf(dot, data);
      return {
        key: `${dot.kind}-${dot.label}-${dot.count}-${i}`,
        ...{ x: cx - size / 2, y: cy - 12, width: size, height: 24, tipX: cx, tipY: cy },
        label: tip.join(', '),
        tip: dot.kind === 'plan' || frame.still ? tip : [...tip, 'Click or Enter: make this the plan'],
        act: () => choose(dot.removed, dot.criterion),
      };
    });
  addTargets(svg, 'Points of the curves', targets, frame);
  const rows = (): Cell[][] =>
    dots.map((dot) => [
      dot.label,
      dot.count,
      known(dot.ppl),
      parametersAt(data.model, dot.count),
      speedAt(data.model, dot.count),
      blockList(dot.removed),
    ]);
  return {
    charts: [svg],
    table: { head: ['Series', 'Removed', 'Perplexity', 'Parameters', 'Estimated speed', 'Blocks'], rows },
    legend: legendOf(data, dots, frame.still),
  };
}

const chosenName = (still: boolean): string => (still ? 'What was chosen' : 'The plan');

function dotsOf({ series, plan, whatIf, retrained }: CurveData, still: boolean): Dot[] {
  const curves = series.flatMap(({ name, style, points, criterion }) =>
    points.map(({ count: n, removed, ppl }): Dot => ({
      count: n,
      ppl: numeric(ppl),
      label: name,
      removed,
      criterion,
      series: style,
      kind: 'curve',
    })),
  );
  // If no curve begins with the whole model, it is drawn as a separate point to compare the others with.
  const full = numeric(whatIf.full);
  const begins = curves.some((dot) => dot.count === 0);
  const whole: Dot[] =
    begins || !Number.isFinite(full)
      ? []
      : [{ count: 0, ppl: full, label: 'The whole model', removed: [], kind: 'whole' }];
  const healed = retrained.map(({ label, removed, ppl }): Dot => ({
    count: removed.length,
    ppl: numeric(ppl),
    label: `${label}, retrained`,
    removed,
    kind: 'retrained',
  }));
  // A plan that removes nothing is the whole model, which has its point.
  const isPlan = plan.removed.length > 0 && whatIf.ppl !== null && whatIf.removed.join() === plan.removed.join();
  const now: Dot[] = isPlan
    ? [
        {
          count: plan.removed.length,
          ppl: numeric(whatIf.ppl),
          label: chosenName(still),
          removed: plan.removed,
          kind: 'plan',
        },
      ]
    : [];
  return [...whole, ...curves, ...healed, ...now];
}

function plotOf(data: CurveData, dots: readonly Dot[], width: number, still: boolean): SVGSVGElement & Plot.Plot {
  const values = dots.map(({ ppl }) => ppl).filter((ppl) => Number.isFinite(ppl) && ppl > 0);
  const full = numeric(data.whatIf.full);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const log = most / least > LOG_FROM;
  const room = most > least ? most - least : 0.1 * most; // a single value has no range
  const longest = Math.max(4, ...dots.map((dot) => dot.count));
  const ticks = (apart: number): number[] => {
    const every = Math.max(1, Math.ceil(longest / Math.max(1, Math.floor((width - LEFT) / apart))));
    return Array.from({ length: Math.floor(longest / every) + 1 }, (_, i) => i * every);
  };
  const at = (kind: Dot['kind']): Dot[] => dots.filter((dot) => dot.kind === kind && Number.isFinite(dot.ppl));
  return Plot.plot({
    ...{ width, height: HEIGHT, marginLeft: LEFT, marginRight: RIGHT, marginTop: 56, marginBottom: 40 },
    style: { background: 'none', fontFamily: 'inherit', fontSize: '11px', overflow: 'visible' },
    x: { domain: [0, longest], insetLeft: 8, insetRight: 8 },
    y: {
      type: log ? 'log' : 'linear',
      domain: log ? [least / 1.1, most * 1.15] : [least - room * 0.06, most + room * 0.08],
      grid: true,
      ticks: 6,
      tickFormat: (value: number) => short(value, 3),
      label: '↑ Perplexity',
    },
    marks: [
      Plot.axisX({
        ticks: ticks(34),
        tickFormat: String,
        label: 'Blocks removed →',
        tickSize: 0,
      }),
      Plot.axisX({
        anchor: 'top',
        ticks: ticks(66),
        tickSize: 3,
        tickFormat: (n: number) => `${count(parametersAt(data.model, n))}\n${times(speedAt(data.model, n))}`,
        label: null,
        color: 'var(--muted)',
      }),
      ...(Number.isFinite(full)
        ? [Plot.ruleY([full], { stroke: 'var(--ink)', strokeDasharray: '4 3', strokeOpacity: 0.7 })]
        : []),
      ...data.series.flatMap(({ style, points }) => {
        const line = points
          .map((point) => ({ n: point.count, ppl: numeric(point.ppl) }))
          .filter(({ ppl }) => Number.isFinite(ppl));
        return [
          Plot.lineY(line, { x: 'n', y: 'ppl', stroke: style.color, strokeWidth: 1.8, strokeDasharray: style.dash }),
          Plot.dot(line, { x: 'n', y: 'ppl', fill: style.color, symbol: style.symbol, r: 3 }),
        ];
      }),
      Plot.link(arrowsOf(dots), {
        x1: 'count',
        x2: 'count',
        y1: 'from',
        y2: 'to',
        stroke: 'var(--good)',
        strokeWidth: 1.5,
        markerEnd: 'arrow',
      }),
      Plot.dot(at('whole'), { x: 'count', y: 'ppl', r: 4, fill: 'var(--ink)' }),
      Plot.text(at('whole'), {
        ...{ x: 'count', y: 'ppl', dx: 8, dy: -8, textAnchor: 'start', fill: 'var(--ink)' },
        ...{ text: (dot: Dot) => `whole model ${short(dot.ppl)}`, stroke: 'var(--paper)', strokeWidth: 4 },
      }),
      Plot.dot(at('plan'), {
        x: 'count',
        y: 'ppl',
        r: 7,
        stroke: 'var(--removed)',
        strokeWidth: 2,
        symbol: 'diamond',
        fill: 'var(--paper)',
      }),
      Plot.dot(at('retrained'), { x: 'count', y: 'ppl', r: 5, symbol: 'star', fill: 'var(--good)' }),
      Plot.text(at('plan'), {
        x: 'count',
        y: 'ppl',
        dy: -16,
        text: (dot: Dot) => `${still ? 'chosen' : 'plan'} ${short(dot.ppl)}`,
        fill: 'var(--ink)',
        stroke: 'var(--paper)',
        strokeWidth: 4,
        fontWeight: 'bold',
      }),
      // Beside the star: below it are the axis and its numbers.
      ...(['start', 'end'] as const).map((textAnchor) =>
        Plot.text(
          at('retrained').filter(({ count }) => (count > longest / 2 ? 'end' : 'start') === textAnchor),
          {
            x: 'count',
            y: 'ppl',
            dx: textAnchor === 'start' ? 10 : -10,
            dy: 3,
            textAnchor,
            text: (dot: Dot) => `retrained ${short(dot.ppl)}`,
            fill: 'var(--ink)',
            stroke: 'var(--paper)',
            strokeWidth: 4,
          },
        ),
      ),
    ],
  }) as SVGSVGElement & Plot.Plot;
}

/** What retraining brought back: from the point of the same blocks before it. */
function arrowsOf(dots: readonly Dot[]): { count: number; from: number; to: number }[] {
  return dots
    .filter(({ kind }) => kind === 'retrained')
    .flatMap((healed) => {
      const before = dots.find((dot) => dot.kind !== 'retrained' && dot.removed.join() === healed.removed.join());
      return before && Number.isFinite(before.ppl) ? [{ count: healed.count, from: before.ppl, to: healed.ppl }] : [];
    });
}

const parametersAt = ({ parameters, parametersPerBlock }: PanelModel, removed: number): number =>
  parameters - removed * parametersPerBlock;

/** Estimated: time goes with the parameters that are read for a token. */
const speedAt = ({ parametersRead: read, parametersPerBlock }: PanelModel, removed: number): number =>
  read / (read - removed * parametersPerBlock);

function tipOf(dot: Dot, data: CurveData): string[] {
  const full = numeric(data.whatIf.full);
  const ratio = Number.isFinite(full) ? ` (${short(dot.ppl / full, 3)}× the whole model’s)` : '';
  return [
    `${dot.label}: ${dot.count} removed`,
    `perplexity ${short(dot.ppl)}${ratio}`,
    `${count(parametersAt(data.model, dot.count))} parameters, about ${times(speedAt(data.model, dot.count))} as fast`,
    `blocks ${blockList(dot.removed)}`,
  ];
}

function legendOf({ series }: CurveData, dots: readonly Dot[], still: boolean): HTMLElement[] {
  const sign = (path: string, attributes: Record<string, string | number>): SVGElement =>
    svgEl(
      'svg',
      { width: 14, height: 12, 'aria-hidden': 'true', class: 'sign' },
      svgEl('path', { d: path, ...attributes }),
    );
  const has = (kind: Dot['kind']): boolean => dots.some((dot) => dot.kind === kind);
  return [
    ...series.map(({ name, style }) => legendEntry(lineSign(style), name)),
    // In the panel the plan's point appears and disappears with clicks; its entry stays.
    ...(!still || has('plan')
      ? [
          legendEntry(
            sign('M7 1 12 6 7 11 2 6Z', { fill: 'none', stroke: 'var(--removed)', 'stroke-width': 2 }),
            still ? 'what was chosen' : 'the plan, what if',
          ),
        ]
      : []),
    ...(has('retrained')
      ? [
          legendEntry(
            sign('M7 0l1.6 4 4 .3-3.1 2.6 1 4L7 8.7 3.5 10.9l1-4L1.4 4.3l4-.3Z', { fill: 'var(--good)' }),
            'retrained',
          ),
        ]
      : []),
  ];
}
