/**
 * Blocks or bits: perplexity against the size of the file. A line for each type, from all blocks to fewer, with the number of
 * removed blocks at each point; a step of what is worth its bytes, and a vertical line at the size that was asked for.
 */
import * as Plot from '@observablehq/plot';
import { formatBytes, formatCount, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import type { FrontierDigest, FrontierPointDigest } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { blockList } from '../numbers';
import type { ChartFrame, Drawing } from './frame';
import { addLabels, type ChartLabel } from './label-layer';
import { legendEntry, sign } from './legend';
import { around, type Segment } from './place-labels';
import { type Chart, draw, margins, placesIn } from './plot';
import { perplexityScale } from './removed-axes';
import { lineSign, nthStyle, type SeriesStyle } from './series';
import { known, type Numbers, numbersBy } from './table';
import { addTargets, spot, type Target } from './targets';

const HEIGHT = 380;
const [LEFT, RIGHT, TOP, BOTTOM] = [54, 24, 28, 40];
const RADIUS = 4;
const MB = 1e6;

interface Dot {
  readonly point: FrontierPointDigest;
  readonly x: number;
  readonly y: number;
}

/** @param choose makes blocks the plan */
export function drawFrontier(
  result: FrontierDigest,
  width: number,
  frame: ChartFrame,
  choose: (removed: readonly number[]) => void,
): Drawing {
  const types = typesOf(result);
  const dots = result.points
    .map((point): Dot => ({ point, x: point.bytes / MB, y: numeric(point.ppl) }))
    .filter(({ y }) => Number.isFinite(y));
  const svg = plotOf(result, dots, types, width);
  const placeOf = placesIn(svg);
  const targets = dots.map(({ point, x, y }, i): Target => {
    const canChoose = !frame.still && point.count > 0;
    const tip = tipOf(point, result);
    return {
      key: `${point.type}-${point.count}-${point.healed ? 'healed' : 'plain'}-${i}`,
      ...spot(...placeOf(x, y), 14),
      label: tip.join(', '),
      tip: canChoose ? [...tip, t('Click or press Enter to make this the plan')] : tip,
      act: () => (canChoose ? choose(point.removed) : frame.hideTip()),
    };
  });
  addLabels(svg, labelsOf(result, dots, types, placeOf), obstaclesOf(result, dots, types, placeOf, width));
  addTargets(svg, t('Files by size and perplexity'), targets, frame);
  return { charts: [svg], table: numbersOf(result), legend: legendOf(result, types) };
}

/** In the order of the points: from the finest. */
const typesOf = ({ points }: FrontierDigest): string[] => [...new Set(points.map(({ type }) => type))];

const styleOf = (types: readonly string[], type: string): SeriesStyle => nthStyle(types.indexOf(type), type);

const chosenOf = ({ points, fit }: FrontierDigest): FrontierPointDigest | undefined =>
  typeof fit?.point === 'number' ? points[fit.point] : undefined;

/** The dots that a line joins: where models were measured plain and healed, the healed ones. */
const lineOf = (dots: readonly Dot[], type: string): Dot[] => {
  const own = dots.filter(({ point }) => point.type === type);
  const isSecond = ({ point }: Dot): boolean =>
    !point.healed && own.some((other) => other.point.count === point.count && other.point.healed);
  return own.filter((dot) => !isSecond(dot));
};

/** The corners of the step: from each point that is worth its bytes to the next larger one. */
function stepOf(dots: readonly Dot[]): Dot[] {
  return dots.filter(({ point }) => point.frontier).toSorted((a, b) => a.x - b.x);
}

function plotOf(result: FrontierDigest, dots: readonly Dot[], types: readonly string[], width: number): Chart {
  const { fit, original } = result;
  const stored = original === null ? [] : [{ x: original.bytes / MB, y: numeric(original.ppl) }];
  const chosen = dots.filter(({ point }) => point === chosenOf(result));
  const values = [...dots, ...stored].map(({ y }) => y).filter((y) => Number.isFinite(y) && y > 0);
  // The original may be many times as large: it would press all others to one side.
  const sizes = [...dots.map(({ x }) => x), ...(fit === null ? [] : [fit.bytes / MB])];
  const shown = stored.filter(({ x }) => x <= 1.5 * Math.max(...sizes));
  return draw({
    ...{ width, height: HEIGHT, ...margins(TOP, RIGHT, BOTTOM, LEFT) },
    overflows: true,
    x: { label: `${t('Size of the file (MB)')} →`, nice: true, inset: 14, ticks: Math.max(3, Math.floor(width / 110)) },
    y: perplexityScale(values),
    marks: [
      ...stored
        .filter(({ y }) => Number.isFinite(y))
        .map(({ y }) => Plot.ruleY([y], { stroke: 'var(--ink)', strokeDasharray: '4 3', strokeOpacity: 0.5 })),
      ...(fit === null
        ? []
        : [Plot.ruleX([fit.bytes / MB], { stroke: 'var(--removed)', strokeWidth: 1.5, strokeDasharray: '6 3' })]),
      Plot.line(stepOf(dots), {
        x: 'x',
        y: 'y',
        curve: 'step-after',
        stroke: 'var(--good)',
        strokeWidth: 7,
        strokeOpacity: 0.25,
        strokeLinejoin: 'round',
      }),
      ...types.flatMap((type) => {
        const { color, dash, symbol } = styleOf(types, type);
        const line = lineOf(dots, type);
        const own = dots.filter(({ point }) => point.type === type);
        const plain = own.filter((dot) => !line.includes(dot));
        return [
          Plot.line(line, { x: 'x', y: 'y', stroke: color, strokeWidth: 1.8, strokeDasharray: dash }),
          Plot.dot(line, { x: 'x', y: 'y', symbol, r: RADIUS, fill: color }),
          Plot.dot(plain, { x: 'x', y: 'y', symbol, r: RADIUS, fill: 'var(--paper)', stroke: color, strokeWidth: 1.5 }),
        ];
      }),
      Plot.dot(
        dots.filter(({ point }) => point.count === 0),
        { x: 'x', y: 'y', r: 7.5, stroke: 'var(--ink)', strokeWidth: 1.2 },
      ),
      Plot.dot(shown, { x: 'x', y: 'y', r: 4.5, fill: 'var(--ink)' }),
      Plot.dot(chosen, { x: 'x', y: 'y', r: 10, stroke: 'var(--removed)', strokeWidth: 2, symbol: 'diamond' }),
    ],
  });
}

type Place = (x: number, y: number) => readonly [x: number, y: number];

/** Numbers of removed blocks at the points, the types at those of all blocks, and what the lines are. */
function labelsOf(
  result: FrontierDigest,
  dots: readonly Dot[],
  types: readonly string[],
  placeOf: Place,
): ChartLabel[] {
  const label = (x: number, y: number, text: string, more: Partial<ChartLabel> = {}): ChartLabel => ({
    text,
    ...more,
    places: (width, height) => around(...placeOf(x, y), RADIUS + 4, width, height),
  });
  const chosen = dots.find(({ point }) => point === chosenOf(result));
  const { fit } = result;
  const top = Math.max(...dots.map(({ y }) => y));
  return [
    ...(chosen ? [label(chosen.x, chosen.y, t('Best that fits'), { bold: true, color: 'var(--removed)' })] : []),
    ...(fit === null ? [] : [label(fit.bytes / MB, top, formatBytes(fit.bytes), { color: 'var(--removed)' })]),
    ...dots
      .filter(({ point }) => point.count === 0)
      .map(({ point, x, y }) => label(x, y, point.type, { color: styleOf(types, point.type).color })),
    ...dots
      .filter(({ point }) => point.count > 0)
      .map(({ point, x, y }) =>
        label(x, y, `−${point.count}`, { optional: true, color: styleOf(types, point.type).color }),
      ),
  ];
}

function obstaclesOf(
  { fit }: FrontierDigest,
  dots: readonly Dot[],
  types: readonly string[],
  placeOf: Place,
  width: number,
) {
  const lines = types.flatMap((type) => {
    const line = lineOf(dots, type).map(({ x, y }) => placeOf(x, y));
    return line.slice(1).map(([x2, y2], i): Segment => ({ x1: line[i][0], y1: line[i][1], x2, y2 }));
  });
  const goal = fit === null ? [] : [placeOf(fit.bytes / MB, 0)[0]];
  const boxes = dots.map(({ x, y }) => {
    const [left, top] = placeOf(x, y);
    return { x: left - RADIUS, y: top - RADIUS, width: 2 * RADIUS, height: 2 * RADIUS };
  });
  const area = { x: LEFT + 2, y: TOP - 10, width: width - LEFT - 6, height: HEIGHT - TOP - BOTTOM + 10 };
  return {
    lines: [...lines, ...goal.map((x): Segment => ({ x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }))],
    boxes,
    area,
  };
}

/** "q4_k_m without 2 blocks, healed" */
export function fileName({ type, count, healed }: FrontierPointDigest): string {
  if (count === 0) return t('{0}, all blocks', type);
  const shorter = count === 1 ? t('{0} without 1 block', type) : t('{0} without {1} blocks', type, count);
  return healed ? t('{0}, healed', shorter) : shorter;
}

function tipOf(point: FrontierPointDigest, { original, fit }: FrontierDigest): string[] {
  const { bytes, ppl, removed, parameters, frontier, behind } = point;
  const change = original === null ? NaN : numeric(ppl) / numeric(original.ppl);
  return [
    fileName(point),
    ...(removed.length > 0 ? [t('without {0}', blockList(removed))] : []),
    formatBytes(bytes),
    Number.isFinite(change)
      ? t('Perplexity {0}, {1}× the original’s', shortNumber(numeric(ppl)), change.toFixed(2))
      : t('Perplexity {0}', shortNumber(numeric(ppl))),
    ...(parameters === null ? [] : [t('{0} parameters', formatCount(parameters))]),
    ...(behind ? [t('{0} nats behind the best that fits', behindText(behind))] : []),
    ...(frontier ? [t('No smaller file is better')] : []),
    ...(fit !== null && bytes > fit.bytes ? [t('Does not fit')] : []),
  ];
}

/** "0.0021 ± 0.0044" */
export const behindText = ({ difference, interval }: NonNullable<FrontierPointDigest['behind']>): string =>
  `${shortNumber(numeric(difference), 2)}${interval === null ? '' : ` ± ${shortNumber(interval, 2)}`}`;

function legendOf(result: FrontierDigest, types: readonly string[]): HTMLElement[] {
  const { points } = result;
  const ring = svgEl('circle', { cx: 12, cy: 6, r: 4.5, fill: 'none', stroke: 'var(--ink)', 'stroke-width': 1.2 });
  const step = svgEl('path', { d: 'M0 6H24', stroke: 'var(--good)', 'stroke-opacity': 0.4, 'stroke-width': 6 });
  const healed = points.some((point) => point.healed);
  const isBoth = healed && points.some((point) => !point.healed && point.count > 0);
  const hollow = svgEl('circle', { cx: 12, cy: 6, r: 3.5, fill: 'none', stroke: 'var(--muted)', 'stroke-width': 1.5 });
  return [
    ...types.map((type) => legendEntry(lineSign(styleOf(types, type)), type)),
    legendEntry(sign(24, ring), t('Original')),
    legendEntry(sign(24, step), t('No smaller file is better')),
    ...(isBoth ? [legendEntry(sign(24, hollow), t('Not healed'))] : []),
  ];
}

/** All numbers, a row for each file. */
const numbersOf = ({ points, original }: FrontierDigest): Numbers =>
  numbersBy(
    () => [
      ...points,
      ...(original === null
        ? []
        : [
            {
              type: t('as stored'),
              count: 0,
              removed: [],
              healed: false,
              parameters: null,
              frontier: false,
              ...original,
            },
          ]),
    ],
    [
      [t('Type'), ({ type }) => type],
      [t('Removed blocks'), ({ count }) => count],
      [t('Which'), ({ removed }) => removed.join(' ')],
      [t('Healed'), ({ healed }) => (healed ? 1 : 0)],
      [t('Bytes'), ({ bytes }) => bytes],
      [t('Parameters'), ({ parameters }) => parameters],
      [t('Perplexity'), ({ ppl }) => known(numeric(ppl))],
      [t('No smaller file is better'), ({ frontier }) => (frontier ? 1 : 0)],
      [
        t('Nats behind the best that fits'),
        ({ behind }: FrontierPointDigest) => (behind ? known(numeric(behind.difference)) : null),
      ],
      [t('Half of the 95 % interval'), ({ behind }: FrontierPointDigest) => behind?.interval ?? null],
    ],
  );
