/**
 * How much every block matters. A bar goes from the perplexity of the whole model to that without the block, with the
 * interval of the difference; divergences from the unpruned model likewise. Bars of other criteria start at zero. A click on a bar removes or keeps its block. The
 * chart below has the ranks of all criteria on one axis.
 */
import * as Plot from '@observablehq/plot';
import type { PanelPlan, ScoreDigest } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { blockAxis, type BlockPlace, blockPlaces, LEFT } from './block-axis';
import type { ChartFrame, Drawing } from './frame';
import { ranksOf, rankChart } from './ranks';
import { axisOf } from './importance-axis';
import { type Bar, describe, hint, legendOf, SCREENED, SCREENED_DASHES, tableOf } from './importance-words';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../numbers';
import { seriesStyleOf } from './series';
import { addTargets, type Target } from './targets';

const HEIGHT = 290;

export interface ImportanceData {
  readonly score: ScoreDigest;
  /** All criteria that rank blocks, this one included. */
  readonly all: readonly ScoreDigest[];
  readonly plan: PanelPlan;
  readonly blocks: number;
  /** Draw even the largest scores in full length. */
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
  const { svg, y, places } = barChart(bars, score, width, data.whole);
  const nameOf = bars.map((bar) => describe(bar, score));
  const targets = bars.map((bar, i): Target => {
    const place = places(bar.block);
    return {
      key: String(bar.block),
      x: place.left,
      y: 8,
      width: place.width,
      height: HEIGHT - 16,
      tipX: place.center,
      tipY: Math.max(20, y(Math.max(bar.value, bar.paired.high || 0))),
      label: nameOf[i].join(', '),
      tip: [...nameOf[i], ...(frame.still ? [] : [hint(bar)])],
      checked: !bar.removed,
      disabled: bar.locked || frame.still,
      act: () => toggle(bar.block),
    };
  });
  addTargets(svg, t('Blocks (checked: kept)'), targets, frame);
  const ranked = all.filter((each) => ranksOf(each).size > 0);
  const charts = ranked.length > 1 ? [svg, rankChart(ranked, blocks, width)] : [svg];
  return { charts, table: tableOf(bars, ranked, score), legend: legendOf(bars, ranked, frame.still) };
}

function barsOf({ score, plan, blocks }: ImportanceData): Bar[] {
  const found = new Map(score.blocks.map((block) => [block.index, block]));
  const ranks = ranksOf(score);
  return Array.from({ length: blocks }, (_, block) => {
    const scored = found.get(block);
    const value = numeric(scored?.score);
    return {
      block,
      value,
      paired: { low: numeric(scored?.pairedLow), high: numeric(scored?.pairedHigh) },
      unpaired: { low: numeric(scored?.low), high: numeric(scored?.high) },
      removed: plan.removed.includes(block),
      protected: plan.protected.includes(block),
      locked: plan.locked.includes(block),
      rank: ranks.get(block) ?? 0,
      ranked: ranks.size,
      off: !Number.isFinite(value),
      unknown: Number.isNaN(value),
      margin: scored?.margin === undefined ? undefined : numeric(scored.margin),
    };
  });
}

function barChart(
  bars: readonly Bar[],
  score: ScoreDigest,
  width: number,
  whole: boolean,
): { svg: SVGSVGElement; y: (value: number) => number; places: (block: number) => BlockPlace } {
  const isPpl = score.full !== undefined;
  const base = numeric(score.full ?? score.fullKl ?? 0);
  const finite = bars.filter(({ off }) => !off);
  const { start, bottom, top, log } = axisOf(
    finite.map(({ value }) => value),
    base,
    isPpl,
    whole,
  );
  const place = bars
    .filter(({ unknown }) => !unknown)
    .map((bar) => ({ ...bar, shown: bar.off ? top : Math.min(top, bar.value) }));
  const beyond = place.filter(({ off, value }) => off || value > top);
  // A bar that is cut has its value above it, turned upright where there is no room.
  const upright = (width - LEFT) / bars.length < 44;
  const marginTop = upright && beyond.length > 0 ? 62 : 40;
  const kept = place.filter(({ removed }) => !removed);
  const gone = place.filter(({ removed }) => removed);
  const removedBars = bars.filter(({ removed }) => removed);
  const every = Math.ceil(bars.length / ((width - LEFT) / 26));
  const bar = { x: 'block', y1: start, y2: 'shown', rx: 1.5 } as const;
  const svg = Plot.plot({
    ...blockAxis(bars.length, width),
    height: HEIGHT,
    marginTop,
    marginBottom: 46,
    style: { background: 'none', fontFamily: 'inherit', fontSize: '11px' },
    y: {
      type: log ? 'log' : 'linear',
      domain: [bottom, top],
      grid: true,
      ticks: log ? 4 : 5,
      tickFormat: (value: number) => shortNumber(value, 3),
      label: null,
    },
    marks: [
      Plot.axisX({
        tickSize: 0,
        tickPadding: 14,
        ticks: bars.map(({ block }) => block).filter((block) => block % every === 0),
        label: `${t('Block')} →`,
        labelOffset: 40,
      }),
      Plot.barY(
        kept.filter(({ margin }) => margin === undefined),
        { ...bar, fill: 'var(--kept)', className: 'bars-kept' },
      ),
      Plot.barY(
        kept.filter(({ margin }) => margin !== undefined),
        {
          ...bar,
          fill: SCREENED.fill,
          fillOpacity: SCREENED['fill-opacity'],
          stroke: SCREENED.stroke,
          strokeDasharray: SCREENED_DASHES,
          className: 'bars-screened',
        },
      ),
      ...[true, false].map((isScreened) =>
        Plot.barY(
          gone.filter(({ margin }) => (margin !== undefined) === isScreened),
          {
            ...bar,
            fill: 'url(#removed-hatch)',
            stroke: 'var(--removed)',
            strokeWidth: 1,
            ...(isScreened && { strokeDasharray: SCREENED_DASHES }),
            className: 'bars-removed',
          },
        ),
      ),
      Plot.ruleX(
        finite.filter(({ paired: { low, high } }) => Number.isFinite(high) && low < top),
        {
          x: 'block',
          y1: ({ paired: { low } }: Bar) => Math.max(bottom, low), // the tip and the table have what is beyond the axis
          y2: ({ paired: { high } }: Bar) => Math.min(top, high),
          stroke: 'var(--ink)',
          strokeWidth: 1,
          className: 'whiskers',
        },
      ),
      Plot.text(removedBars, {
        x: 'block',
        y: bottom,
        text: () => '✕',
        dy: 8,
        fill: 'var(--removed)',
        fontWeight: 'bold',
        fontSize: 10,
      }),
      Plot.dot(
        bars.filter((each) => each.protected && !each.removed),
        { x: 'block', y: bottom, dy: 8, symbol: 'square', r: 2.4, fill: 'var(--protected)' },
      ),
      Plot.text(beyond, {
        x: 'block',
        y: top,
        text: (each: Bar) => shortNumber(each.value),
        fontSize: 10,
        fill: 'var(--ink)',
        ...(upright ? { rotate: -90, textAnchor: 'start', dy: -5 } : { dy: -7 }),
      }),
      Plot.text([`↑ ${axisName(score)}`], {
        frameAnchor: 'top-left',
        dx: 2 - LEFT,
        dy: 8 - marginTop,
        textAnchor: 'start',
        lineAnchor: 'middle',
      }),
      // A bar that is cut has a gap near its top. On the paler screened bars it is dark.
      ...[true, false].map((isScreened) =>
        Plot.text(
          beyond.filter(({ margin }) => (margin !== undefined) === isScreened),
          {
            x: 'block',
            y: top,
            text: () => '≈',
            dy: 14,
            fontSize: 18,
            fontWeight: 'bold',
            fill: isScreened ? 'var(--ink)' : 'var(--paper)',
          },
        ),
      ),
      ...(isPpl
        ? [Plot.ruleY([base], { stroke: 'var(--ink)', strokeDasharray: '4 3' })]
        : [Plot.ruleY([start], { stroke: 'var(--ink)', strokeOpacity: 0.4 })]),
    ],
  }) as SVGSVGElement & Plot.Plot;
  svg.prepend(hatch());
  const y = svg.scale('y')!;
  const at = (value: number): number =>
    Number.isFinite(value) ? Number(y.apply(Math.min(top, Math.max(bottom, value)))) : 24;
  return { svg, y: at, places: blockPlaces(svg) };
}

function axisName({ criterion, full, fullKl }: ScoreDigest): string {
  if (full !== undefined) return t('Perplexity without the block');
  return fullKl === undefined ? seriesStyleOf(criterion).name : t('KL divergence without the block (nats)');
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
