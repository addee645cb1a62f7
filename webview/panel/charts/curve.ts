/**
 * Perplexity by the number of removed blocks, one line for each criterion, with parameters and estimated speed on a second
 * axis. The current plan is a provisional point. Retrained and healed models are separate points.
 */
import * as Plot from '@observablehq/plot';
import { formatFactor, shortCount } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { type CurvePlan, parametersAt, speedAt } from '../state/curve-plans';
import { arrowsOf, BETTER, type CurveData, type Dot, dotsOf } from './curve-dots';
import { labelOf, legendOf, tableOf, tipOf } from './curve-words';
import type { ChartFrame, Drawing } from './frame';
import { type Guide, guideLabels, guideMarks, guidesOf, visibleGuides } from './guides';
import { addLabels, type ChartLabel } from './label-layer';
import { around, type Box, type Segment } from './place-labels';
import { type Chart, draw, margins } from './plot';
import { perplexityScale, removedAxis, removedTicks, wholeRule } from './removed-axes';
import { addTargets, spot, type Target } from './targets';

export type { CurveData, CurveSeries, RetrainedPoint } from './curve-dots';

/** Where the chart has what, in pixels: for a control below it that follows its axis. */
export interface CurvePlaces {
  readonly x: (removed: number) => number;
  /** Rings the point of a plan, which the control is at; undefined rings none. */
  readonly mark: (plan: CurvePlan | undefined) => void;
}

const HEIGHT = 400;
const [LEFT, RIGHT, TOP, BOTTOM] = [54, 18, 56, 40];
/** Half the size of a symbol, with its outline. */
const RADIUS: Readonly<Record<Dot['kind'], number>> = { curve: 3, whole: 4, plan: 8, retrained: 5, healed: 5 };

type ToPixels = (dot: { readonly count: number; readonly ppl: number }) => readonly [x: number, y: number];

/** @param choose makes blocks the plan @param drawn hears where things are, after every drawing */
export function drawCurve(
  data: CurveData,
  width: number,
  frame: ChartFrame,
  choose: (removed: readonly number[], criterion?: string) => void,
  drawn: (places: CurvePlaces) => void = () => undefined,
): Drawing {
  const dots = dotsOf(data, frame.still);
  const finite = dots.filter(({ ppl }) => Number.isFinite(ppl));
  const { svg, guides } = plotOf(data, dots, width);
  const [x, y] = [svg.scale('x')!, svg.scale('y')!];
  const pixels: ToPixels = ({ count, ppl }) => [Number(x.apply(count)), Number(y.apply(ppl))];
  const area = { x: LEFT + 2, y: TOP, width: width - LEFT - RIGHT + 6, height: HEIGHT - TOP - BOTTOM + 2 };
  const whole = numeric(data.whatIf.full);
  const ruleY = (ppl: number): number => Number(y.apply(ppl));
  addLabels(
    svg,
    [...dotLabels(finite, pixels, frame.still), ...guideLabels(guides, whole, ruleY, [LEFT + 4, width - RIGHT])],
    obstaclesOf({ data, dots: finite, guides: [whole, ...guides.map(({ ppl }) => ppl)], pixels, area }),
  );
  const ring = svgEl('g', { class: 'curve-ring', visibility: 'hidden' });
  svg.append(ring);
  const reach = Math.max(10, (width - LEFT - RIGHT) / Math.max(8, ...dots.map(({ count }) => count)));
  const targets = finite.map((dot, i) => targetOf(dot, i, { data, pixels, frame, choose, size: Math.min(24, reach) }));
  addTargets(svg, t('Points of the curves'), targets, frame);
  drawn({
    x: (removed) => Number(x.apply(removed)),
    mark: (plan) => showRing(ring, plan && Number.isFinite(plan.ppl) ? pixels(plan) : undefined),
  });
  return { charts: [svg], table: tableOf(dots, data), legend: legendOf(data, dots, frame.still) };
}

interface Around {
  readonly data: CurveData;
  readonly pixels: ToPixels;
  readonly frame: ChartFrame;
  readonly choose: (removed: readonly number[], criterion?: string) => void;
  readonly size: number;
}

function targetOf(dot: Dot, i: number, { data, pixels, frame, choose, size }: Around): Target {
  const tip = tipOf(dot, data);
  return {
    key: `${dot.kind}-${dot.label}-${dot.count}-${i}`,
    ...spot(...pixels(dot), size, 24),
    label: tip.join(', '),
    tip: dot.kind === 'plan' || frame.still ? tip : [...tip, t('Click or press Enter to make this the plan')],
    act: () => choose(dot.removed, dot.criterion),
  };
}

function plotOf(data: CurveData, dots: readonly Dot[], width: number): { svg: Chart; guides: Guide[] } {
  const values = dots.map(({ ppl }) => ppl).filter((ppl) => Number.isFinite(ppl) && ppl > 0);
  const full = numeric(data.whatIf.full);
  const longest = Math.max(4, ...dots.map((dot) => dot.count));
  const ticks = (apart: number): number[] => removedTicks(longest, width - LEFT, apart);
  const at = (kind: Dot['kind']): Dot[] => dots.filter((dot) => dot.kind === kind && Number.isFinite(dot.ppl));
  const axes: Plot.PlotOptions = {
    ...{ width, height: HEIGHT, ...margins(TOP, RIGHT, BOTTOM, LEFT) },
    x: { domain: [0, longest], insetLeft: 8, insetRight: 8 },
    y: perplexityScale(values),
  };
  const [least, most] = (axes.y as { domain: [number, number] }).domain;
  const scale = Plot.scale({ y: { ...axes.y, range: [HEIGHT - BOTTOM, TOP] } });
  const guides = visibleGuides(guidesOf(full, data.goal), [least, most], (ppl) => Number(scale.apply(ppl)));
  const marks = [
    removedAxis(ticks(34)),
    Plot.axisX({
      anchor: 'top',
      ticks: ticks(66),
      tickSize: 3,
      tickFormat: (n: number) => `${shortCount(parametersAt(data.model, n))}\n${formatFactor(speedAt(data.model, n))}`,
      label: null,
      color: 'var(--muted)',
    }),
    ...guideMarks(guides, least),
    ...wholeRule(full),
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
    Plot.dot(at('healed'), { x: 'count', y: 'ppl', r: 5, symbol: 'plus', fill: 'var(--good)' }),
  ];
  return { svg: draw({ ...axes, overflows: true, marks }), guides };
}

/** The labels of the plan and of better models, the plan's first. */
function dotLabels(dots: readonly Dot[], pixels: ToPixels, still: boolean): ChartLabel[] {
  const kinds: readonly Dot['kind'][] = ['plan', ...BETTER];
  return kinds.flatMap((kind) =>
    dots.flatMap((dot): ChartLabel[] => {
      const text = dot.kind === kind ? labelOf(dot, still) : undefined;
      if (text === undefined) return [];
      const [x, y] = pixels(dot);
      const places = (width: number, height: number) => around(x, y, RADIUS[kind], width, height);
      return [{ text, bold: kind === 'plan', places }];
    }),
  );
}

/** What labels must not cover: curves, symbols, arrows and horizontal lines. */
function obstaclesOf({
  data,
  dots,
  guides,
  pixels,
  area,
}: {
  readonly data: CurveData;
  readonly dots: readonly Dot[];
  readonly guides: readonly number[];
  readonly pixels: ToPixels;
  readonly area: Box;
}) {
  const line = (from: readonly [number, number], to: readonly [number, number]): Segment => {
    return { x1: from[0], y1: from[1], x2: to[0], y2: to[1] };
  };
  const curves = data.series.flatMap(({ points }) => {
    const places = points
      .map(({ count, ppl }) => ({ count, ppl: numeric(ppl) }))
      .filter(({ ppl }) => Number.isFinite(ppl))
      .map(pixels);
    return places.slice(1).map((place, i) => line(places[i], place));
  });
  const arrows = arrowsOf(dots).map(({ count, from, to }) =>
    line(pixels({ count, ppl: from }), pixels({ count, ppl: to })),
  );
  const across = guides.filter(Number.isFinite).map((ppl): Segment => {
    const [, y] = pixels({ count: 0, ppl });
    return { x1: area.x, x2: area.x + area.width, y1: y, y2: y };
  });
  const boxes = dots.map((dot): Box => {
    const [x, y] = pixels(dot);
    const radius = RADIUS[dot.kind];
    return { x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius };
  });
  return { lines: [...curves, ...arrows, ...across], boxes, area };
}

/** A ring around a point, with a line down to the axis. */
function showRing(ring: SVGGElement, place: readonly [number, number] | undefined): void {
  ring.setAttribute('visibility', place ? 'visible' : 'hidden');
  if (!place) return;
  const [x, y] = place;
  const style = { stroke: 'var(--removed)', 'stroke-width': 1.5, fill: 'none' };
  ring.replaceChildren(
    svgEl('circle', { cx: x, cy: y, r: 9, ...style }),
    svgEl('line', { x1: x, x2: x, y1: y + 9, y2: HEIGHT - BOTTOM, ...style, 'stroke-dasharray': '2 3' }),
  );
}
