/**
 * How much every block matters: bars from the perplexity of the whole model to that without the block, with bootstrap
 * intervals; of other criteria from zero. Below, the ranks that all criteria give, on one axis. A bar is a switch.
 */
import * as Plot from '@observablehq/plot';
import type { PanelPlan, ScoreDigest } from '../../src/protocol/panel';
import { svg as svgEl } from '../support/dom';
import { type ChartFrame, type Drawing, legendEntry } from './chart-frame';
import { numeric, short } from './numbers';
import { lineSign, lookOf } from './series';
import { addTargets, type Target } from './targets';

interface Bar {
  readonly block: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly removed: boolean;
  readonly protected: boolean;
  readonly locked: boolean;
  /** Place in the criterion's order, from 1: the first goes first. */
  readonly place: number;
  /** Beyond the axis: infinite, or no number. */
  readonly off: boolean;
}

const HEIGHT = 290;
const RANK_HEIGHT = 120;
const LEFT = 54;
/** Above this ratio of the largest bar to the smallest, a linear axis would show nothing but the largest. */
const LOG_FROM = 12;

export interface ImportanceData {
  readonly score: ScoreDigest;
  /** All criteria that rank blocks, this one among them. */
  readonly all: readonly ScoreDigest[];
  readonly plan: PanelPlan;
  readonly blocks: number;
  /** Show the largest scores to their ends. */
  readonly whole: boolean;
}

export function drawImportance(
  data: ImportanceData,
  width: number,
  frame: ChartFrame,
  toggle: (block: number) => void,
): Drawing {
  const { score, all, blocks } = data;
  const bars = barsOf(data);
  const { svg, y } = barChart(bars, score, width, data.whole);
  const step = (width - LEFT - 8) / blocks;
  const nameOf = bars.map((bar) => describe(bar, score));
  const targets = bars.map((bar, i): Target => {
    const x = LEFT + i * step;
    return {
      key: String(bar.block),
      ...{ x, y: 8, width: step, height: HEIGHT - 16 },
      ...{ tipX: x + step / 2, tipY: Math.max(20, y(Math.max(bar.value, bar.high || 0))) },
      label: nameOf[i].join(', '),
      tip: [...nameOf[i], ...(frame.still ? [] : [hint(bar)])],
      checked: !bar.removed,
      disabled: bar.locked || frame.still,
      act: () => toggle(bar.block),
    };
  });
  addTargets(svg, 'Blocks: checked ones are kept', targets, frame);
  const ranked = all.filter((each) => each.blocks.length > 0);
  const charts = ranked.length > 1 ? [svg, rankChart(ranked, blocks, width)] : [svg];
  return { charts, table: tableOf(bars, ranked, score), legend: legendOf(bars, ranked) };
}

const hint = ({ locked, removed }: Bar): string =>
  locked ? 'Locked by the setting coppice.keep' : `Click or Space: ${removed ? 'keep' : 'remove'}`;

function barsOf({ score, plan, blocks }: ImportanceData): Bar[] {
  const found = new Map(score.blocks.map((block) => [block.index, block]));
  const order = placesOf(score);
  return Array.from({ length: blocks }, (_, block) => {
    const scored = found.get(block);
    const value = numeric(scored?.score);
    return {
      ...{ block, value, low: numeric(scored?.low), high: numeric(scored?.high) },
      removed: plan.removed.includes(block),
      protected: plan.protected.includes(block),
      locked: plan.locked.includes(block),
      place: order.get(block) ?? 0,
      off: !Number.isFinite(value),
    };
  });
}

/** Place of each block in the criterion's order, from 1; equal ones in the order of the model. */
function placesOf({ blocks }: ScoreDigest): Map<number, number> {
  const sorted = [...blocks].sort((a, b) => numeric(a.score) - numeric(b.score) || a.index - b.index);
  return new Map(sorted.map(({ index }, i) => [index, i + 1]));
}

function barChart(
  bars: readonly Bar[],
  score: ScoreDigest,
  width: number,
  whole: boolean,
): { svg: SVGSVGElement; y: (value: number) => number } {
  const isPpl = score.full !== undefined;
  const base = isPpl ? numeric(score.full) : 0;
  const finite = bars.filter(({ off }) => !off);
  const { start, bottom, top, log } = axisOf(
    finite.map(({ value }) => value),
    base,
    isPpl,
    whole,
  );
  const place = bars.map((bar) => ({ ...bar, shown: bar.off ? top : Math.min(top, bar.value) }));
  const beyond = place.filter(({ off, value }) => off || value > top);
  // Above bars that are cut stands what they reach, upright where there is no room.
  const upright = (width - LEFT) / bars.length < 44;
  const marginTop = upright && beyond.length > 0 ? 62 : 40;
  const kept = place.filter(({ removed }) => !removed);
  const gone = place.filter(({ removed }) => removed);
  const every = Math.ceil(bars.length / ((width - LEFT) / 26));
  const bar = { x: 'block', y1: start, y2: 'shown', rx: 1.5 } as const;
  const svg = Plot.plot({
    ...{ width, height: HEIGHT, marginLeft: LEFT, marginRight: 8, marginTop, marginBottom: 46 },
    style: { background: 'none', fontFamily: 'inherit', fontSize: '11px' },
    x: {
      type: 'band',
      domain: bars.map(({ block }) => block),
      padding: bars.length > 64 ? 0.12 : 0.28,
      label: null,
      align: 0,
    },
    y: {
      type: log ? 'log' : 'linear',
      domain: [bottom, top],
      grid: true,
      ticks: log ? 4 : 5,
      tickFormat: (value: number) => short(value, 3),
      label: null,
    },
    marks: [
      Plot.axisX({
        tickSize: 0,
        tickPadding: 14,
        ticks: bars.map(({ block }) => block).filter((block) => block % every === 0),
        label: 'Block →',
        labelOffset: 40,
      }),
      Plot.barY(kept, { ...bar, fill: 'var(--kept)', className: 'bars-kept' }),
      Plot.barY(gone, {
        ...bar,
        fill: 'url(#removed-hatch)',
        stroke: 'var(--removed)',
        strokeWidth: 1,
        className: 'bars-removed',
      }),
      Plot.ruleX(
        finite.filter(({ high, low }) => Number.isFinite(high) && low < top),
        {
          x: 'block',
          y1: 'low',
          y2: ({ high }: Bar) => Math.min(top, high),
          stroke: 'var(--ink)',
          strokeWidth: 1,
          className: 'whiskers',
        },
      ),
      Plot.text(gone, {
        x: 'block',
        y: bottom,
        text: () => '✕',
        dy: 8,
        fill: 'var(--removed)',
        fontWeight: 'bold',
        fontSize: 10,
      }),
      Plot.dot(
        place.filter((each) => each.protected && !each.removed),
        { x: 'block', y: bottom, dy: 8, symbol: 'square', r: 2.4, fill: 'var(--protected)' },
      ),
      Plot.text(beyond, {
        ...{ x: 'block', y: top, text: (each: Bar) => short(each.value, 2), fontSize: 10, fill: 'var(--ink)' },
        ...(upright ? { rotate: -90, textAnchor: 'start', dy: -5 } : { dy: -7 }),
      }),
      Plot.text([isPpl ? '↑ Perplexity without the block' : `↑ ${lookOf(score.criterion).name}`], {
        ...{ frameAnchor: 'top-left', dx: 2 - LEFT, dy: 8 - marginTop, textAnchor: 'start', lineAnchor: 'middle' },
      }),
      // A bar that is cut has a gap near its top.
      Plot.text(beyond, {
        x: 'block',
        y: top,
        text: () => '≈',
        dy: 14,
        fontSize: 18,
        fontWeight: 'bold',
        fill: 'var(--paper)',
      }),
      ...(isPpl
        ? [Plot.ruleY([base], { stroke: 'var(--ink)', strokeDasharray: '4 3' })]
        : [Plot.ruleY([start], { stroke: 'var(--ink)', strokeOpacity: 0.4 })]),
    ],
  }) as SVGSVGElement & Plot.Plot;
  svg.prepend(hatch());
  const y = svg.scale('y')!;
  return { svg, y: (value) => (Number.isFinite(value) ? Number(y.apply(Math.min(top, Math.max(bottom, value)))) : 24) };
}

interface Axis {
  /** Where bars start. */
  readonly start: number;
  readonly bottom: number;
  readonly top: number;
  readonly log: boolean;
}

/**
 * A few blocks (the first, often the last) matter thousands of times as much as the rest, among which the choice is.
 * So the axis ends above most bars, and those beyond it are cut; `whole` shows all, logarithmically where it must be.
 */
function axisOf(values: readonly number[], base: number, isPpl: boolean, whole: boolean): Axis {
  const [least, most] = [Math.min(base, ...values), Math.max(base, ...values)];
  const smallest = Math.min(...values);
  const sorted = [...values].sort((a, b) => a - b);
  const usual = sorted[Math.floor(0.8 * (sorted.length - 1))] ?? most;
  const end = base + 1.6 * (usual - base);
  if (!whole && most > base + 2 * (end - base) && end > base) {
    return { start: base, bottom: least - (isPpl ? (end - least) * 0.05 : 0), top: end, log: false };
  }
  const log = smallest > 0 && (isPpl ? most / least : most / smallest) > LOG_FROM;
  if (!log)
    return {
      start: base,
      bottom: isPpl ? least - (most - least) * 0.06 : least,
      top: most + (most - least) * 0.08,
      log,
    };
  // On a logarithmic axis there is no zero to start from: bars start where the axis does.
  return { start: isPpl ? base : smallest / 1.5, bottom: isPpl ? least / 1.15 : smallest / 1.5, top: most * 1.35, log };
}

/** Stripes, for what goes: they show without colour too. */
function hatch(): SVGElement {
  const stripe = svgEl('path', { d: 'M0 6 6 0M-1 1 1 -1M5 7 7 5', stroke: 'var(--removed)', 'stroke-width': 1.4 });
  return svgEl(
    'defs',
    {},
    svgEl('pattern', { id: 'removed-hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse' }, stripe),
  );
}

/** Ranks by all criteria: 0 goes first, 1 last. Ranks, because the scores have no common unit and long tails. */
function rankChart(all: readonly ScoreDigest[], blocks: number, width: number): SVGSVGElement {
  const series = all.map((score) => {
    const places = placesOf(score);
    const points = [...places].map(([block, place]) => ({
      block,
      rank: places.size > 1 ? (place - 1) / (places.size - 1) : 0,
    }));
    return { look: lookOf(score.criterion), points: points.sort((a, b) => a.block - b.block) };
  });
  const dots = blocks * 6 < width;
  const svg = Plot.plot({
    ...{ width, height: RANK_HEIGHT, marginLeft: LEFT, marginRight: 8, marginTop: 20, marginBottom: 12 },
    style: { background: 'none', fontFamily: 'inherit', fontSize: '11px' },
    x: { type: 'point', domain: Array.from({ length: blocks }, (_, block) => block), axis: null, padding: 0.5 },
    y: {
      domain: [0, 1],
      ticks: [0, 0.5, 1],
      tickFormat: (rank: number) => (rank === 0 ? 'first' : rank === 1 ? 'last' : ''),
      label: '↑ Goes first … last, by each criterion',
      grid: true,
    },
    marks: series.flatMap(({ look: { color, dash, symbol }, points }) => [
      Plot.lineY(points, { x: 'block', y: 'rank', stroke: color, strokeWidth: 1.5, strokeDasharray: dash }),
      ...(dots ? [Plot.dot(points, { x: 'block', y: 'rank', fill: color, symbol, r: 2.6 })] : []),
    ]),
  }) as SVGSVGElement;
  svg.setAttribute('role', 'img');
  svg.setAttribute(
    'aria-label',
    `Order in which blocks go, by ${series.map(({ look }) => look.name).join(', ')}; the table has the places.`,
  );
  return svg;
}

function describe(bar: Bar, { criterion, full }: ScoreDigest): string[] {
  const state = bar.removed ? 'goes' : bar.locked ? 'locked' : bar.protected ? 'stays, protected' : 'stays';
  if (Number.isNaN(bar.value)) return [`Block ${bar.block}: not scored`, state];
  const value = short(bar.value, 5);
  const interval = Number.isFinite(bar.high) ? [`95 % interval ${short(bar.low)} to ${short(bar.high)}`] : [];
  const change =
    full === undefined ? [] : [`${short(bar.value / numeric(full), 4)}× the whole model’s ${short(numeric(full))}`];
  const what = full === undefined ? `${lookOf(criterion).name} ${value}` : `perplexity without it ${value}`;
  return [`Block ${bar.block}: ${what}`, ...change, ...interval, `place ${bar.place}, 1 goes first`, state];
}

function tableOf(bars: readonly Bar[], all: readonly ScoreDigest[], score: ScoreDigest): Drawing['table'] {
  const others = all.filter((each) => each !== score);
  const hasIntervals = bars.some(({ high }) => Number.isFinite(high));
  const placesOfOthers = others.map(placesOf);
  return {
    head: [
      'Block',
      lookOf(score.criterion).name,
      ...(hasIntervals ? ['Low', 'High'] : []),
      'Place',
      ...others.map(({ criterion }) => `Place by ${lookOf(criterion).name}`),
      'Plan',
    ],
    rows: bars.map((bar) => [
      String(bar.block),
      Number.isNaN(bar.value) ? '' : String(bar.value),
      ...(hasIntervals ? [String(bar.low), String(bar.high)] : []),
      String(bar.place),
      ...placesOfOthers.map((places) => String(places.get(bar.block) ?? '')),
      bar.removed ? 'goes' : bar.locked ? 'locked' : bar.protected ? 'protected' : 'stays',
    ]),
  };
}

function legendOf(bars: readonly Bar[], all: readonly ScoreDigest[]): HTMLElement[] {
  const box = (attributes: Record<string, string | number>): SVGElement =>
    svgEl(
      'svg',
      { width: 14, height: 12, 'aria-hidden': 'true', class: 'sign' },
      svgEl('rect', { x: 1, y: 1, width: 12, height: 10, rx: 1.5, ...attributes }),
    );
  const square = svgEl(
    'svg',
    { width: 10, height: 12, 'aria-hidden': 'true', class: 'sign' },
    svgEl('rect', { x: 2, y: 4, width: 5, height: 5, fill: 'var(--protected)' }),
  );
  return [
    legendEntry(box({ fill: 'var(--kept)' }), 'stays'),
    ...(bars.some(({ removed }) => removed)
      ? [legendEntry(box({ fill: 'url(#removed-hatch)', stroke: 'var(--removed)' }), 'goes ✕')]
      : []),
    ...(bars.some((bar) => bar.protected) ? [legendEntry(square, 'protected')] : []),
    ...(all.length > 1
      ? all.map(({ criterion }) => legendEntry(lineSign(lookOf(criterion)), lookOf(criterion).name))
      : []),
  ];
}
