/**
 * Speed and memory against the number of texts side by side: a panel for each length, a line for each model (Shortened
 * LLaMA, Figures 2 and 6). Of memory also the predictions, with cells that did not fit.
 */
import * as Plot from '@observablehq/plot';
import { shortNumber } from '../../../src/format/numbers';
import type { GridDigest, GridModelDigest } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry, sign } from './legend';
import { type Chart, draw, margins, placesIn } from './plot';
import { lineSign, nthStyle } from './series';
import { type Column, type Numbers, numbersBy } from './table';
import { addTargets, spot, type Target } from './targets';
import { GRID_MEASURES, gibibytes, type GridMeasure } from '../state/grid-measures';
import type { GridPerplexities } from '../state/grid-perplexity';
import { modelText } from '../state/model-labels';

const HEIGHT = 230;
/** Least width of a panel, and the gaps between panels, as in the style sheet. */
const LEAST = 340;
const GAP = 16;
const ROW_GAP = 8;
const TOP = 34;
const BOTTOM = 36;
const GiB = 2 ** 30;

interface Point {
  readonly model: number;
  readonly name: string;
  readonly batch: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly speedUp: number | null;
}

/** A predicted peak. */
interface Predicted {
  readonly model: number;
  readonly batch: number;
  readonly value: number;
  readonly fits: boolean;
}

/** @param quality perplexities of the models, if other runs have measured them */
export function drawGrid(
  grid: GridDigest,
  measure: GridMeasure,
  quality: GridPerplexities | undefined,
  width: number,
  frame: ChartFrame,
): Drawing {
  const panels = grid.newTokens;
  const columns = Math.max(1, Math.min(panels.length, Math.floor((width + GAP) / (LEAST + GAP))));
  const own = Math.floor((width - GAP * (columns - 1)) / columns);
  const all = panels.map((newTokens) => pointsOf(grid, newTokens, measure));
  const predicted = panels.map((newTokens) => (measure.key === 'memory' ? predictedOf(grid, newTokens) : []));
  // One scale for all panels, so that lengths can be compared.
  const top = Math.max(
    0,
    ...[...all, ...predicted].flat().map((point) => ('high' in point ? point.high : point.value)),
  );
  const charts = panels.map((newTokens, i) => {
    const chart = panelChart(grid, measure, { newTokens, points: all[i], predicted: predicted[i], top, width: own });
    const place = { left: (i % columns) * (own + GAP), top: Math.floor(i / columns) * (HEIGHT + ROW_GAP) };
    const targets = targetsOf(all[i], measure, chart, place, frame);
    addTargets(chart, t('{0}, {1} new tokens', measure.name, newTokens), targets, frame);
    return chart;
  });
  const signs = grid.models.map((model, i) => legendEntry(lineSign(nthStyle(i, model.label)), modelText(model.label)));
  return {
    charts: [...charts, ...(quality ? tradeOffs(grid, quality, width) : [])],
    table: numbersOf(grid),
    legend: [...signs, ...(measure.key === 'memory' ? [legendEntry(predictedSign(), t('Predicted'))] : [])],
  };
}

/** Perplexity against latency and throughput (Figure 1), of one text and of the largest batch that all models ran. */
function tradeOffs(grid: GridDigest, { text, ppl }: GridPerplexities, width: number): SVGSVGElement[] {
  const columns = width >= 2 * LEAST + GAP ? 2 : 1;
  const own = Math.floor((width - GAP * (columns - 1)) / columns);
  const [newTokens] = grid.newTokens;
  return GRID_MEASURES.slice(0, 2).flatMap((measure) => {
    const isLatency = measure.key === 'latency';
    const all = pointsOf(grid, newTokens, measure).filter(({ model }) => ppl[model] !== null);
    const models = new Set(all.map(({ model }) => model));
    const common = grid.batches.filter((each) => all.filter(({ batch }) => batch === each).length === models.size);
    const batch = isLatency ? common.at(0) : common.at(-1);
    const points = all.filter((point) => point.batch === batch).map((point) => ({ ...point, ppl: ppl[point.model]! }));
    if (batch === undefined || points.length < 2) return [];
    const svg = tradeOff(grid, measure, points, own);
    svg.setAttribute('role', 'img');
    const each = points.map(({ name, value, ppl: own }) =>
      t('{0}: {1}, perplexity {2}', name, measure.words(value), shortNumber(own)),
    );
    const title = t('Perplexity on {0} against {1}, {2} × {3} tokens', text, measure.exact, batch, newTokens);
    svg.setAttribute('aria-label', `${title}. ${each.join('; ')}.`);
    return [svg];
  });
}

function tradeOff(
  { models }: GridDigest,
  { exact, words }: GridMeasure,
  points: readonly (Point & { readonly ppl: number })[],
  width: number,
): SVGSVGElement {
  const styles = models.map(({ label }, i) => nthStyle(i, label));
  return draw({
    ...{ width, height: HEIGHT - 40, ...margins(TOP, 14, BOTTOM, 54) },
    symbol: { type: 'identity' },
    x: {
      label: `${exact}, ${textsOf(points[0].batch)} →`,
      nice: true,
      inset: 14,
      tickFormat: (value: number) => words(value),
    },
    y: {
      label: `↑ ${t('Perplexity')}`,
      grid: true,
      nice: true,
      ticks: 4,
      inset: 10,
      tickFormat: (value: number) => shortNumber(value, 3),
    },
    marks: [
      Plot.dot(points, {
        x: 'value',
        y: 'ppl',
        r: 5,
        fill: ({ model }: Point) => styles[model].color,
        symbol: ({ model }: Point) => styles[model].symbol,
      }),
    ],
  });
}

function pointsOf(grid: GridDigest, newTokens: number, { valueOf, spreadOf }: GridMeasure): Point[] {
  return grid.models.flatMap(({ label, cells }, model) =>
    cells.flatMap(({ batch, newTokens: length, measured }) => {
      const value = measured && length === newTokens ? valueOf(measured) : null;
      if (value === null || !measured) return [];
      const spread = spreadOf?.(measured) ?? 0;
      const name = modelText(label);
      return [{ model, name, batch, value, low: value - spread, high: value + spread, speedUp: measured.speedUp }];
    }),
  );
}

const predictedOf = (grid: GridDigest, newTokens: number): Predicted[] =>
  grid.models.flatMap(({ cells }, model) =>
    cells
      .filter((cell) => cell.newTokens === newTokens)
      .map(({ batch, predictedBytes, outcome }) => ({
        model,
        batch,
        value: predictedBytes / GiB,
        fits: outcome !== 'oom',
      })),
  );

interface Panel {
  readonly newTokens: number;
  readonly points: readonly Point[];
  readonly predicted: readonly Predicted[];
  readonly top: number;
  readonly width: number;
}

function panelChart(
  { batches, models, limitBytes }: GridDigest,
  { exact, words }: GridMeasure,
  { newTokens, points, predicted, top, width }: Panel,
): Chart {
  const styles = models.map(({ label }, i) => nthStyle(i, label));
  const colour = ({ model }: { readonly model: number }): string => styles[model].color;
  const limit = limitBytes === null ? Infinity : limitBytes / GiB;
  return draw({
    ...{ width, height: HEIGHT, ...margins(TOP, 14, BOTTOM, 54) },
    symbol: { type: 'identity' },
    x: { type: 'point', domain: batches, label: `${t('Texts side by side')} →`, padding: 0.3 },
    y: {
      domain: [0, top > 0 ? 1.04 * top : 1],
      label: `↑ ${exact}`,
      grid: true,
      ticks: 5,
      tickFormat: (value: number) => words(value),
    },
    marks: [
      Plot.text([t('{0} new tokens', newTokens)], {
        frameAnchor: 'top-right',
        dy: -TOP + 8,
        fill: 'var(--muted)',
        fontWeight: 600,
      }),
      ...(predicted.length > 0 && limit <= top
        ? [Plot.ruleY([limit], { stroke: 'var(--removed)', strokeDasharray: '4 3' })]
        : []),
      ...models.map((_, model) =>
        Plot.lineY(
          predicted.filter((each) => each.model === model),
          { x: 'batch', y: 'value', stroke: styles[model].color, strokeWidth: 1, strokeDasharray: '1 3' },
        ),
      ),
      Plot.dot(predicted, {
        x: 'batch',
        y: 'value',
        r: (each: Predicted) => (each.fits ? 3 : 5),
        stroke: colour,
        fill: 'var(--paper)',
        symbol: (each: Predicted) => (each.fits ? 'circle' : 'times'),
      }),
      Plot.ruleX(points, { x: 'batch', y1: 'low', y2: 'high', stroke: colour, strokeOpacity: 0.6 }),
      ...models.map((_, model) =>
        Plot.lineY(
          points.filter((point) => point.model === model),
          { x: 'batch', y: 'value', stroke: styles[model].color, strokeWidth: 2, strokeDasharray: styles[model].dash },
        ),
      ),
      Plot.dot(points, {
        x: 'batch',
        y: 'value',
        r: 3.8,
        fill: colour,
        symbol: ({ model }: Point) => styles[model].symbol,
      }),
    ],
  });
}

const textsOf = (batch: number): string => (batch === 1 ? t('1 text') : t('{0} texts', batch));

/** An area around each point. @param place of the chart among the others */
function targetsOf(
  points: readonly Point[],
  { words, exact }: GridMeasure,
  svg: Chart,
  place: { readonly left: number; readonly top: number },
  frame: ChartFrame,
): Target[] {
  const placeOf = placesIn(svg);
  return points.map((point) => {
    const { model, name, batch, value, low, high, speedUp } = point;
    const [x, y] = placeOf(batch, value);
    const spread = high > low ? t('{0} ± {1}', words(value), words(high - value)) : words(value);
    const tip = [
      `${name}, ${textsOf(batch)}`,
      `${exact}: ${spread}`,
      ...(speedUp === null ? [] : [t('{0}× as fast as the first model', speedUp.toFixed(2))]),
    ];
    return {
      key: `${model}-${batch}`,
      ...spot(x, y, 18),
      tipX: x + place.left,
      tipY: y + place.top,
      tip,
      act: () => frame.hideTip(),
    };
  });
}

const predictedSign = (): SVGElement =>
  sign(
    24,
    svgEl('path', { d: 'M0 6H24', stroke: 'currentColor', 'stroke-dasharray': '1 3', fill: 'none' }),
    svgEl('circle', { cx: 12, cy: 6, r: 3, stroke: 'currentColor', fill: 'var(--paper)' }),
  );

/** All numbers, a row for each cell of each model. */
const numbersOf = (grid: GridDigest): Numbers =>
  numbersBy(
    () => grid.models.flatMap(({ label, cells }) => cells.map((cell) => ({ ...cell, label }))),
    [
      [t('Model'), ({ label }) => modelText(label)],
      [t('New tokens'), ({ newTokens }) => newTokens],
      [t('Texts'), ({ batch }) => batch],
      ...GRID_MEASURES.map(({ exact, valueOf }): Column<GridModelDigest['cells'][number]> => [
        exact,
        ({ measured, outcome }) => (measured ? valueOf(measured) : outcome === 'oom' ? 'OOM' : null),
      ]),
      [t('Predicted memory (GiB)'), ({ predictedBytes }) => Number(gibibytes(predictedBytes))],
      [t('Speed-up'), ({ measured }) => measured?.speedUp ?? null],
      [t('Best possible speed-up'), ({ measured }) => measured?.floorSpeedUp ?? null],
    ],
  );
