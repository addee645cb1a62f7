/** A retraining: its loss, raw and smoothed, and its perplexity on the held-out part. */
import * as Plot from '@observablehq/plot';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry, sign } from './legend';
import { type Chart, draw, margins } from './plot';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { addTargets, type Target } from './targets';
import { heldOutChart } from './held-out';
import { evaluationPointsOf, lossRange, numbersOf, type Point, pointsOf, type TrainingSeries } from './training-points';

const LEFT = 54;
/** Limit of steps that arrow keys can reach. */
const MAX_STOPS = 40;
/** Style of the run that is drawn for comparison: dashed, in the second colour. */
const OVER = { stroke: 'var(--series-2)', strokeDasharray: '6 3' } as const;
/** Style of the loss of single steps. */
const RAW = { stroke: 'var(--muted)', strokeOpacity: 0.75, strokeWidth: 1 } as const;

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
  const unpruned = numeric(main.unpruned);
  const ppl = evaluations.length + others.length > 0 ? [heldOutChart(evaluations, others, unpruned, last, width)] : [];
  return {
    charts: [loss, ...ppl],
    table: numbersOf(over ? [main, over] : [main]),
    legend: legendOf(over?.name),
  };
}

function lossChart(points: readonly Point[], overlay: readonly Point[], last: number, width: number): Chart {
  const range = lossRange(points, overlay);
  // Single peaks would make the rest flat. A triangle says that the line goes on.
  const beyond = points.filter(({ loss }) => range && (loss > range[1] || loss < range[0]));
  return draw({
    ...{ width, height: 210, ...margins(22, 12, 34, LEFT) },
    x: { domain: [0, last], label: `${t('Step')} →`, ticks: Math.min(8, width / 70), tickFormat: 'd' },
    y: {
      ...(range && { domain: range }),
      label: `↑ ${t('Loss (nats per token)')}`,
      grid: true,
      ticks: 5,
    },
    marks: [
      Plot.lineY(points, { x: 'step', y: 'loss', ...RAW, clip: true }),
      Plot.dot(beyond, {
        x: 'step',
        y: ({ loss: value }: Point) => (value > range![1] ? range![1] : range![0]),
        symbol: 'triangle',
        rotate: ({ loss: value }: Point) => (value > range![1] ? 0 : 180),
        r: 3,
        fill: RAW.stroke,
      }),
      Plot.lineY(overlay, { ...OVER, x: 'step', y: 'smooth', strokeWidth: 1.8 }),
      Plot.lineY(points, { x: 'step', y: 'smooth', stroke: 'var(--series-1)', strokeWidth: 2.8 }),
      Plot.dot(points.slice(-1), { x: 'step', y: 'smooth', r: 3.5, fill: 'var(--series-1)' }),
    ],
  });
}

function stopsOf(points: readonly Point[], svg: Chart, frame: ChartFrame): Target[] {
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
      tip,
      act: () => frame.hideTip(),
    };
  });
}

/** @param over name of the run to compare with */
function legendOf(over: string | undefined): HTMLElement[] {
  const line = (color: string, width: number, dash = '', opacity = 1): SVGElement =>
    sign(
      24,
      svgEl('path', {
        d: 'M0 6H24',
        stroke: color,
        'stroke-width': width,
        'stroke-dasharray': dash,
        'stroke-opacity': opacity,
      }),
    );
  return [
    legendEntry(line(RAW.stroke, 1, '', RAW.strokeOpacity), t('Loss per step')),
    legendEntry(line('var(--series-1)', 2.8), t('Smoothed')),
    ...(over === undefined ? [] : [legendEntry(line('var(--series-2)', 1.8, '6 3'), t('Comparison: {0}', over))]),
  ];
}
