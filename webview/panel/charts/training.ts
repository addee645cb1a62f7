/** A retraining: loss (raw and smoothed), held-out perplexity, learning rate and speed. */
import * as Plot from '@observablehq/plot';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { type ChartFrame, type Drawing, legendEntry } from './frame';
import { shortNumber } from '../../../src/format/numbers';
import { addTargets, type Target } from './targets';
import {
  type EvaluationPoint,
  evaluationPointsOf,
  numbersOf,
  type Point,
  pointsOf,
  type TrainingSeries,
} from './training-points';

const LEFT = 54;
/** Limit of steps that arrow keys can reach. */
const MAX_STOPS = 40;
/** Style of the run that is drawn for comparison: dashed, in the second colour. */
const OVER = { stroke: 'var(--series-2)', strokeDasharray: '6 3' } as const;

/** @param over a run to compare with @param total planned steps; 0 when unknown */
export function drawTraining(
  main: TrainingSeries,
  over: TrainingSeries | undefined,
  total: number,
  width: number,
  frame: ChartFrame,
): Drawing {
  const points = pointsOf(main);
  const overlay = over ? pointsOf(over) : [];
  const last = Math.max(total, points.at(-1)?.step ?? 1, overlay.at(-1)?.step ?? 1);
  const loss = lossChart(points, overlay, last, width);
  addTargets(loss, t('Steps of the retraining'), stopsOf(points, loss, frame), frame);
  const [evaluations, others] = [evaluationPointsOf(main), over ? evaluationPointsOf(over) : []];
  const ppl = evaluations.length + others.length > 0 ? [evaluationChart(evaluations, others, last, width)] : [];
  const half = width >= 520 ? Math.floor((width - 16) / 2) : width;
  const small = [
    smallChart(points, overlay, 'learningRate', t('Learning rate'), last, half),
    smallChart(points, overlay, 'speed', t('Tokens per second'), last, half),
  ];
  return {
    charts: [loss, ...ppl, ...small],
    table: numbersOf(over ? [main, over] : [main]),
    legend: legendOf(over?.name),
  };
}

const STYLE = { background: 'none', fontFamily: 'inherit', fontSize: '11px' };

function lossChart(
  points: readonly Point[],
  overlay: readonly Point[],
  last: number,
  width: number,
): SVGSVGElement & Plot.Plot {
  return Plot.plot({
    width,
    height: 210,
    marginLeft: LEFT,
    marginTop: 22,
    marginBottom: 34,
    marginRight: 12,
    style: STYLE,
    x: { domain: [0, last], label: `${t('Step')} →`, ticks: Math.min(8, width / 70), tickFormat: 'd' },
    y: {
      ...roomFor(points.map(({ loss }) => loss)),
      label: `↑ ${t('Loss (nats per token)')}`,
      grid: true,
      nice: true,
      ticks: 5,
    },
    marks: [
      Plot.lineY(points, { x: 'step', y: 'loss', stroke: 'var(--series-1)', strokeOpacity: 0.35, strokeWidth: 1 }),
      Plot.lineY(overlay, { ...OVER, x: 'step', y: 'smooth', strokeWidth: 1.8 }),
      Plot.lineY(points, { x: 'step', y: 'smooth', stroke: 'var(--series-1)', strokeWidth: 2.2 }),
      Plot.dot(points.slice(-1), { x: 'step', y: 'smooth', r: 3.5, fill: 'var(--series-1)' }),
    ],
  }) as SVGSVGElement & Plot.Plot;
}

/** A domain for values that are all the same, for which a scale would have no extent. */
function roomFor(values: readonly number[]): { readonly domain?: [number, number] } {
  const [first] = values;
  return values.length > 0 && values.every((value) => value === first) ? { domain: [0.95 * first, 1.05 * first] } : {};
}

function evaluationChart(
  evaluations: readonly EvaluationPoint[],
  over: readonly EvaluationPoint[],
  last: number,
  width: number,
): SVGSVGElement {
  const svg = Plot.plot({
    width,
    height: 130,
    marginLeft: LEFT,
    marginTop: 22,
    marginBottom: 20,
    marginRight: 12,
    style: STYLE,
    x: { domain: [0, last], label: null, ticks: Math.min(8, width / 70), tickFormat: 'd' },
    y: {
      ...roomFor([...evaluations, ...over].map(({ ppl }) => ppl)),
      label: `↑ ${t('Held-out perplexity')}`,
      grid: true,
      nice: true,
      ticks: 3,
      tickFormat: (value: number) => shortNumber(value, 3),
    },
    marks: [
      Plot.lineY(over, { ...OVER, x: 'step', y: 'ppl' }),
      Plot.lineY(evaluations, { x: 'step', y: 'ppl', stroke: 'var(--good)', strokeWidth: 1.8 }),
      Plot.dot(evaluations, { x: 'step', y: 'ppl', fill: 'var(--good)', symbol: 'diamond', r: 3.5 }),
      Plot.text(evaluations.slice(-1), {
        x: 'step',
        y: 'ppl',
        text: (point: EvaluationPoint) => shortNumber(point.ppl),
        dy: -12,
        textAnchor: (evaluations.at(-1)?.step ?? 0) > last / 2 ? 'end' : 'start',
        fill: 'var(--ink)',
        stroke: 'var(--paper)',
        strokeWidth: 4,
      }),
    ],
  }) as SVGSVGElement;
  const at = (point: EvaluationPoint | undefined): string =>
    point ? t('{0} at step {1}', shortNumber(point.ppl), point.step) : t('none');
  return asImage(svg, t('Held-out perplexity: {0}, {1}.', at(evaluations[0]), at(evaluations.at(-1))));
}

function smallChart(
  points: readonly Point[],
  overlay: readonly Point[],
  y: 'learningRate' | 'speed',
  label: string,
  last: number,
  width: number,
): SVGSVGElement {
  const svg = Plot.plot({
    width,
    height: 96,
    marginLeft: LEFT,
    marginTop: 20,
    marginBottom: 18,
    marginRight: 12,
    style: STYLE,
    x: { domain: [0, last], label: null, ticks: 3, tickFormat: 'd' },
    y: { label: `↑ ${label}`, ticks: 3, zero: true, tickFormat: (value: number) => shortNumber(value, 3) },
    marks: [
      Plot.areaY(points, { x: 'step', y, fill: 'var(--series-1)', fillOpacity: 0.12 }),
      Plot.lineY(points, { x: 'step', y, stroke: 'var(--series-1)', strokeWidth: 1.2 }),
      Plot.lineY(overlay, { ...OVER, x: 'step', y, strokeWidth: 1.2 }),
    ],
  }) as SVGSVGElement;
  const latest = points.at(-1);
  return asImage(svg, t('{0}: {1} at the last step.', label, latest ? shortNumber(latest[y]) : t('none')));
}

function asImage(svg: SVGSVGElement, label: string): SVGSVGElement {
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return svg;
}

function stopsOf(points: readonly Point[], svg: SVGSVGElement & Plot.Plot, frame: ChartFrame): Target[] {
  const finite = points.filter(({ loss }) => Number.isFinite(loss));
  const every = Math.ceil(finite.length / MAX_STOPS);
  const stops = finite.filter((_, i) => i % every === 0 || i === finite.length - 1);
  const [x, y] = [svg.scale('x')!, svg.scale('y')!];
  return stops.map((point, i) => {
    const cx = Number(x.apply(point.step));
    const before = i > 0 ? Number(x.apply(stops[i - 1].step)) : cx - 8;
    const after = i < stops.length - 1 ? Number(x.apply(stops[i + 1].step)) : cx + 8;
    const [from, to] = [(before + cx) / 2, (cx + after) / 2];
    const tip = [
      t('Step {0}: loss {1}', point.step, shortNumber(point.loss)),
      t('smoothed {0}', shortNumber(point.smooth)),
      t('learning rate {0}', shortNumber(point.learningRate)),
      t('{0} tokens per second', shortNumber(point.speed)),
    ];
    return {
      key: String(point.step),
      x: from,
      y: 20,
      width: to - from,
      height: 156,
      tipX: cx,
      tipY: Number(y.apply(point.smooth)),
      label: tip.join(', '),
      tip,
      act: () => frame.hideTip(),
    };
  });
}

/** @param over name of the run to compare with */
function legendOf(over: string | undefined): HTMLElement[] {
  const line = (color: string, width: number, dash = '', opacity = 1): SVGElement =>
    svgEl(
      'svg',
      { width: 24, height: 12, 'aria-hidden': 'true', class: 'sign' },
      svgEl('path', {
        d: 'M0 6H24',
        stroke: color,
        'stroke-width': width,
        'stroke-dasharray': dash,
        'stroke-opacity': opacity,
      }),
    );
  return [
    legendEntry(line('var(--series-1)', 1, '', 0.5), t('Loss per step')),
    legendEntry(line('var(--series-1)', 2.2), t('Smoothed')),
    ...(over === undefined ? [] : [legendEntry(line('var(--series-2)', 1.8, '6 3'), t('Comparison: {0}', over))]),
  ];
}
