/** What drafts gain over the most tokens that they propose at once: a curve for each, and the model alone at 1. */
import * as Plot from '@observablehq/plot';
import type { DraftDigest, DraftRowDigest } from '../../../src/protocol/panel';
import { shortNumber } from '../../../src/format/numbers';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { curvesOf, type DraftCurve, type DraftCurves, type DraftPoint, pointWords } from '../state/drafts';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry, sign } from './legend';
import { type Chart, draw, margins, placesIn } from './plot';
import { lineSign, nthStyle } from './series';
import { type Numbers, numbersBy } from './table';
import { addTargets, spot, type Target } from './targets';

const HEIGHT = 260;
const [LEFT, RIGHT, TOP, BOTTOM] = [54, 18, 28, 40];
/** The axis of values reaches so far around the model alone, at least. */
const LEAST = { below: 0.9, above: 1.15 } as const;

/** Bars of the times that vary reach so far over the curves, as a share of their height. */
const MOST_BEYOND = 0.25;

type Range = readonly [low: number, high: number];

const within = (range: Range | undefined, [low, high]: Range): Range | undefined =>
  range && [Math.max(range[0], low), Math.min(range[1], high)];

export function drawDrafts(digest: DraftDigest, width: number, frame: ChartFrame): Drawing {
  const found = curvesOf(digest);
  const table = numbersOf(digest.drafts);
  if (found.curves.length === 0) return { charts: [], table };
  const svg = plotOf(found, width);
  const placeOf = placesIn(svg);
  const targets = found.curves.flatMap(({ index, points, best }) =>
    // The best setting may lie beside the curve.
    [...points, ...(points.some((point) => point.best) ? [] : [best])].map((point): Target => {
      return {
        key: `${index}-${point.length}${point.best ? '-best' : ''}`,
        ...spot(...placeOf(point.length, point.value), 14),
        tip: point.best ? [...pointWords(point), t('its best length')] : pointWords(point),
        act: () => frame.hideTip(),
      };
    }),
  );
  addTargets(svg, t('Drafts by the most tokens proposed at once'), targets, frame);
  return { charts: [svg], table, legend: legendOf(found.curves) };
}

const styleOf = ({ draft, index }: DraftCurve) => nthStyle(index, draft.name);

function plotOf({ measure, curves }: DraftCurves, width: number): Chart {
  const values = curves.flatMap(({ points, best }) => [...points, best].map(({ value }) => value));
  const [low, high] = [Math.min(LEAST.below, ...values), Math.max(LEAST.above, ...values)];
  // Times that vary much would make the curves flat: their bars end at the edge.
  const edges = [low - MOST_BEYOND * (high - low), high + MOST_BEYOND * (high - low)] as const;
  const bars = measure === 'speedup' ? curves.map((curve) => within(curve.draft.range, edges)) : [];
  const longest = Math.max(1, ...curves.flatMap(({ points, best }) => [...points, best].map(({ length }) => length)));
  const ticks = Array.from({ length: longest }, (_, i) => i + 1);
  const every = Math.ceil(longest / Math.max(1, (width - LEFT - RIGHT) / 28));
  return draw({
    ...{ width, height: HEIGHT, ...margins(TOP, RIGHT, BOTTOM, LEFT) },
    overflows: true,
    x: { domain: [1, longest], inset: 12, label: null },
    y: {
      domain: [Math.min(low, ...bars.flatMap((bar) => bar ?? [])), Math.max(high, ...bars.flatMap((bar) => bar ?? []))],
      nice: true,
      grid: true,
      ticks: 6,
      tickFormat: (value: number) => shortNumber(value, 3),
      label: `↑ ${measure === 'speedup' ? t('Times as fast as the model alone') : t('Tokens a pass of the model')}`,
    },
    marks: [
      Plot.axisX({
        ticks: ticks.filter((length) => length % every === 0 || length === 1),
        tickFormat: String,
        tickSize: 0,
        label: `${t('The most tokens that a draft proposes at once')} →`,
        labelOffset: 36,
      }),
      Plot.ruleY([1], { stroke: 'var(--ink)', strokeDasharray: '4 3', strokeOpacity: 0.7 }),
      ...curves.flatMap((curve, i) => marksOf(curve, bars.at(i))),
    ],
  });
}

/** The curve, its best setting, and how far measured times let that vary. */
function marksOf(curve: DraftCurve, bar: Range | undefined): Plot.Markish[] {
  const { color, symbol, dash } = styleOf(curve);
  const { points, best } = curve;
  const place = { x: ({ length }: DraftPoint) => length, y: ({ value }: DraftPoint) => value };
  return [
    ...(bar
      ? [Plot.ruleX([best], { x: 'length', y1: bar[0], y2: bar[1], stroke: color, strokeOpacity: 0.5, strokeWidth: 3 })]
      : []),
    Plot.line(points, { ...place, stroke: color, strokeWidth: 1.8, strokeDasharray: dash }),
    Plot.dot(
      points.filter((point) => !point.best),
      { ...place, symbol, r: 3, fill: 'var(--paper)', stroke: color, strokeWidth: 1.4 },
    ),
    Plot.dot([best], { ...place, symbol, r: 5, fill: color, stroke: color }),
  ];
}

const legendOf = (curves: readonly DraftCurve[]): HTMLElement[] => [
  ...curves.map((curve) => legendEntry(lineSign(styleOf(curve)), curve.draft.name)),
  legendEntry(
    sign(24, svgEl('path', { d: 'M0 6H24', stroke: 'var(--ink)', 'stroke-dasharray': '4 3', 'stroke-opacity': 0.7 })),
    t('The model alone'),
  ),
];

interface Setting {
  readonly draft: DraftRowDigest;
  readonly at: DraftRowDigest['byLength'][number];
}

/** All numbers, a row for each draft and length. */
const numbersOf = (drafts: readonly DraftRowDigest[]): Numbers =>
  numbersBy(
    () => drafts.flatMap((draft) => draft.byLength.map((at): Setting => ({ draft, at }))),
    [
      [t('Draft'), ({ draft }) => draft.name],
      [t('Tokens at once, at most'), ({ at }) => at.length],
      [t('Tokens a pass'), ({ at }) => at.tokensPerRound],
      [t('Times as fast'), ({ at }) => at.speedup],
      [t('Agrees (share)'), ({ draft }) => draft.agree],
      [t('Cost of a pass'), ({ draft }) => draft.c],
      [t('Bytes'), ({ draft }) => draft.bytes ?? null],
    ],
  );
