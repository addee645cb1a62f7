/** A retraining: loss as it was and smoothed, perplexity of the held-out part, learning rate and speed. */
import * as Plot from '@observablehq/plot';
import type { TrainingLook, TrainingStep } from '../../src/protocol/panel';
import { svg as svgEl } from '../support/dom';
import { type ChartFrame, type Drawing, legendEntry } from './chart-frame';
import { numeric, short } from './numbers';
import { addTargets, type Target } from './targets';

export interface TrainingSeries {
  readonly name: string;
  readonly steps: readonly TrainingStep[];
  readonly looks: readonly TrainingLook[];
}

interface Point {
  readonly step: number;
  readonly loss: number;
  readonly smooth: number;
  readonly learningRate: number;
  readonly speed: number;
}

const LEFT = 54;
/** Part of the old mean that the smoothed loss keeps each step; long runs are smoothed more. */
const smoothing = (steps: number): number => Math.min(0.97, Math.max(0.6, 1 - 20 / Math.max(1, steps)));
/** Points drawn at most: more are not told apart, and a redraw stays quick. */
const MOST_POINTS = 600;
/** Places that keys can stop at. */
const MOST_STOPS = 40;

/** @param total planned steps; 0 when unknown */
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
  addTargets(loss, 'Steps of the retraining', stopsOf(points, loss, frame), frame);
  const looks = looksOf(main);
  const ppl = looks.length > 0 ? [lookChart(looks, over ? looksOf(over) : [], last, width)] : [];
  const half = width >= 520 ? Math.floor((width - 16) / 2) : width;
  const small = [
    smallChart(points, 'learningRate', '↑ Learning rate', last, half),
    smallChart(points, 'speed', '↑ Tokens per second', last, half),
  ];
  return { charts: [loss, ...ppl, ...small], table: tableOf(main), legend: legendOf(over !== undefined) };
}

function pointsOf({ steps }: TrainingSeries): Point[] {
  const keep = smoothing(steps.length);
  let mean = 0;
  let weight = 0;
  const all = steps.map(({ step, loss, learningRate, tokensPerSecond }) => {
    const value = numeric(loss);
    if (Number.isFinite(value)) {
      mean = keep * mean + (1 - keep) * value;
      weight = keep * weight + (1 - keep); // what a mean that starts at zero lacks
    }
    return { step, loss: value, smooth: mean / weight, learningRate, speed: tokensPerSecond };
  });
  const every = Math.ceil(all.length / MOST_POINTS);
  return all.filter((_, i) => i % every === 0 || i === all.length - 1);
}

const looksOf = ({ looks }: TrainingSeries): { step: number; ppl: number }[] =>
  looks.map(({ step, ppl }) => ({ step, ppl: numeric(ppl) })).filter(({ ppl }) => Number.isFinite(ppl));

const STYLE = { background: 'none', fontFamily: 'inherit', fontSize: '11px' };

function lossChart(
  points: readonly Point[],
  overlay: readonly Point[],
  last: number,
  width: number,
): SVGSVGElement & Plot.Plot {
  return Plot.plot({
    ...{ width, height: 210, marginLeft: LEFT, marginTop: 22, marginBottom: 34, marginRight: 12 },
    style: STYLE,
    x: { domain: [0, last], label: 'Step →', ticks: Math.min(8, width / 70), tickFormat: 'd' },
    y: { label: '↑ Loss, nats a token', grid: true, nice: true, ticks: 5 },
    marks: [
      Plot.lineY(points, { x: 'step', y: 'loss', stroke: 'var(--series-1)', strokeOpacity: 0.35, strokeWidth: 1 }),
      Plot.lineY(overlay, {
        x: 'step',
        y: 'smooth',
        stroke: 'var(--series-2)',
        strokeWidth: 1.8,
        strokeDasharray: '6 3',
      }),
      Plot.lineY(points, { x: 'step', y: 'smooth', stroke: 'var(--series-1)', strokeWidth: 2.2 }),
      Plot.dot(points.slice(-1), { x: 'step', y: 'smooth', r: 3.5, fill: 'var(--series-1)' }),
    ],
  }) as SVGSVGElement & Plot.Plot;
}

function lookChart(
  looks: readonly { step: number; ppl: number }[],
  over: readonly { step: number; ppl: number }[],
  last: number,
  width: number,
): SVGSVGElement {
  const svg = Plot.plot({
    ...{ width, height: 130, marginLeft: LEFT, marginTop: 22, marginBottom: 20, marginRight: 12 },
    style: STYLE,
    x: { domain: [0, last], label: null, ticks: Math.min(8, width / 70), tickFormat: 'd' },
    y: { label: '↑ Perplexity of the held-out part', grid: true, nice: true, ticks: 3 },
    marks: [
      Plot.lineY(over, { x: 'step', y: 'ppl', stroke: 'var(--series-2)', strokeDasharray: '6 3' }),
      Plot.lineY(looks, { x: 'step', y: 'ppl', stroke: 'var(--good)', strokeWidth: 1.8 }),
      Plot.dot(looks, { x: 'step', y: 'ppl', fill: 'var(--good)', symbol: 'diamond', r: 3.5 }),
      Plot.text(looks.slice(-1), {
        x: 'step',
        y: 'ppl',
        text: (look: { ppl: number }) => short(look.ppl),
        dy: -12,
        textAnchor: 'end',
        fill: 'var(--ink)',
        stroke: 'var(--paper)',
        strokeWidth: 4,
      }),
    ],
  }) as SVGSVGElement;
  return asImage(
    svg,
    `Perplexity of the held-out part: ${short(looks[0].ppl)} at step ${looks[0].step}, ${short(looks.at(-1)!.ppl)} at step ${looks.at(-1)!.step}.`,
  );
}

function smallChart(
  points: readonly Point[],
  y: 'learningRate' | 'speed',
  label: string,
  last: number,
  width: number,
): SVGSVGElement {
  const svg = Plot.plot({
    ...{ width, height: 96, marginLeft: LEFT, marginTop: 20, marginBottom: 18, marginRight: 12 },
    style: STYLE,
    x: { domain: [0, last], label: null, ticks: 3, tickFormat: 'd' },
    y: { label, ticks: 3, zero: true, tickFormat: (value: number) => short(value, 2) },
    marks: [
      Plot.areaY(points, { x: 'step', y, fill: 'var(--series-1)', fillOpacity: 0.12 }),
      Plot.lineY(points, { x: 'step', y, stroke: 'var(--series-1)', strokeWidth: 1.2 }),
    ],
  }) as SVGSVGElement;
  const latest = points.at(-1);
  return asImage(svg, `${label.slice(2)}: ${latest ? short(latest[y]) : 'none'} at the last step.`);
}

function asImage(svg: SVGSVGElement, label: string): SVGSVGElement {
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return svg;
}

function stopsOf(points: readonly Point[], svg: SVGSVGElement & Plot.Plot, frame: ChartFrame): Target[] {
  const finite = points.filter(({ loss }) => Number.isFinite(loss));
  const every = Math.ceil(finite.length / MOST_STOPS);
  const stops = finite.filter((_, i) => i % every === 0 || i === finite.length - 1);
  const [x, y] = [svg.scale('x')!, svg.scale('y')!];
  return stops.map((point, i) => {
    const cx = Number(x.apply(point.step));
    const before = i > 0 ? Number(x.apply(stops[i - 1].step)) : cx - 8;
    const after = i < stops.length - 1 ? Number(x.apply(stops[i + 1].step)) : cx + 8;
    const [from, to] = [(before + cx) / 2, (cx + after) / 2];
    const tip = [
      `Step ${point.step}: loss ${short(point.loss)}`,
      `smoothed ${short(point.smooth)}`,
      `learning rate ${short(point.learningRate)}`,
      `${short(point.speed)} tokens per second`,
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

function tableOf({ steps, looks }: TrainingSeries): Drawing['table'] {
  const held = new Map(looks.map(({ step, ppl }) => [step, ppl]));
  return {
    head: ['Step', 'Loss', 'Learning rate', 'Tokens per second', 'Held-out perplexity'],
    rows: steps.map(({ step, loss, learningRate, tokensPerSecond }) => [
      String(step),
      String(loss),
      String(learningRate),
      short(tokensPerSecond),
      String(held.get(step) ?? ''),
    ]),
  };
}

function legendOf(overlaid: boolean): HTMLElement[] {
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
    legendEntry(line('var(--series-1)', 1, '', 0.5), 'loss of each step'),
    legendEntry(line('var(--series-1)', 2.2), 'smoothed'),
    ...(overlaid ? [legendEntry(line('var(--series-2)', 1.8, '6 3'), 'the other run')] : []),
  ];
}
