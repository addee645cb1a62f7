/**
 * Dot plot of accuracies: a band for each task and the average, in it a dot for each model. The bar of a further model is
 * the 95 % interval of its paired difference to the first one, whose value a line continues through the band.
 */
import * as Plot from '@observablehq/plot';
import type { TasksDigest } from '../../../src/protocol/panel';
import { formatPercent } from '../../../src/format/numbers';
import { svg as svgEl } from '../../support/dom';
import { itemsText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { type Accuracy, type AccuracyRow, accuracyRows, intervalOf } from '../state/accuracies';
import { differenceText, pValueText } from '../state/accuracy-words';
import { modelText } from '../state/model-labels';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry, sign } from './legend';
import { type Chart, draw, margins, placesIn } from './plot';
import { type Column, type Numbers, numbersBy } from './table';
import { addTargets, spot, type Target } from './targets';

const [TOP, RIGHT, BOTTOM] = [6, 22, 40];
/** Height of a model's line, and space between two bands. */
const [LANE, GAP] = [15, 14];
/** Below this width the names of tasks have less room. */
const NARROW = 480;

/** A model's number in a band. */
interface Dot {
  readonly row: AccuracyRow;
  readonly model: number;
  readonly accuracy: Accuracy;
  readonly x: number;
  /** From the top of the plot, in pixels. */
  readonly y: number;
  readonly interval?: readonly [number, number];
}

export function drawAccuracy(tasks: TasksDigest, width: number, frame: ChartFrame): Drawing {
  const rows = accuracyRows(tasks);
  const labels = tasks.models.map(({ label, model }) => modelText(label || model));
  const band = LANE * labels.length + GAP;
  const dots = rows.flatMap((row, r) =>
    row.models.flatMap((accuracy, m): Dot[] => {
      if (accuracy.value === null) return [];
      const interval = intervalOf(accuracy);
      const y = r * band + GAP / 2 + (m + 0.5) * LANE;
      return [{ row, model: m, accuracy, x: accuracy.value, y, ...(interval && { interval }) }];
    }),
  );
  const svg = dotPlot(rows, dots, band, width);
  const placeOf = placesIn(svg);
  const targets = dots.map((dot): Target => ({
    key: `${dot.row.task ?? 'average'} ${dot.model}`,
    ...spot(...placeOf(dot.x, dot.y), 24, LANE),
    tip: tipOf(dot, labels, labels[0]),
    act: () => frame.hideTip(),
  }));
  addTargets(svg, t('Accuracy of each model in each task'), targets, frame);
  return { charts: [svg], table: tableOf(rows, labels), legend: legendOf(labels) };
}

function dotPlot(rows: readonly AccuracyRow[], dots: readonly Dot[], band: number, width: number): Chart {
  const ends = dots.flatMap(({ x, interval }) => [x, ...(interval ?? [])]);
  const room = 0.02;
  const domain = [Math.max(0, Math.min(...ends) - room), Math.min(1, Math.max(...ends) + room)];
  const lines = dots.filter(({ model }) => model === 0);
  const height = rows.length * band;
  return draw({
    ...{ width, height: height + TOP + BOTTOM, ...margins(TOP, RIGHT, BOTTOM, width < NARROW ? 92 : 120) },
    x: {
      domain,
      grid: true,
      ticks: Math.max(2, Math.min(8, Math.floor(width / 90))),
      tickFormat: (share: number) => formatPercent(share),
      label: `${t('Accuracy')} →`,
      labelOffset: 34,
    },
    y: { domain: [0, height], range: [TOP, TOP + height], axis: null },
    marks: [
      Plot.ruleY(
        rows.slice(1).map((_, r) => (r + 1) * band),
        { stroke: 'var(--ink)', strokeOpacity: 0.15 },
      ),
      ...['normal', 'bold'].map((fontWeight) =>
        Plot.text(
          rows.map(({ task, title }, r) => ({
            title: (task === undefined) === (fontWeight === 'bold') ? title : '',
            r,
          })),
          {
            frameAnchor: 'left',
            y: ({ r }: { r: number }) => (r + 0.5) * band,
            text: 'title',
            textAnchor: 'end',
            dx: -10,
            fill: 'var(--ink)',
            fontWeight,
            fontSize: 12,
          },
        ),
      ),
      Plot.ruleX(lines, {
        x: 'x',
        y1: ({ y }: Dot) => y,
        y2: ({ y }: Dot) => y - LANE / 2 + band - GAP,
        stroke: 'var(--ink)',
        strokeOpacity: 0.45,
        strokeDasharray: '2 2',
      }),
      Plot.ruleY(
        dots.filter(({ interval }) => interval),
        {
          y: 'y',
          x1: ({ interval }: Dot) => Math.max(domain[0], interval![0]),
          x2: ({ interval }: Dot) => Math.min(domain[1], interval![1]),
          stroke: ({ model }: Dot) => styleOf(model).color,
          strokeWidth: 2,
          strokeOpacity: 0.75,
          className: 'intervals',
        },
      ),
      ...[...new Set(dots.map(({ model }) => model))].map((model) =>
        Plot.dot(
          dots.filter((dot) => dot.model === model),
          {
            x: 'x',
            y: 'y',
            r: 4.5,
            symbol: styleOf(model).symbol,
            fill: styleOf(model).color,
            className: 'accuracies',
          },
        ),
      ),
    ],
  });
}

/** Symbols and colours by the place of a model. */
const STYLES = [
  { symbol: 'circle', color: 'var(--series-1)', path: 'M7 2.2a3.8 3.8 0 1 0 .01 0Z' },
  { symbol: 'diamond', color: 'var(--series-2)', path: 'M7 1 11.5 6 7 11 2.5 6Z' },
  { symbol: 'triangle', color: 'var(--series-4)', path: 'M7 1.5 11.5 10h-9Z' },
  { symbol: 'square', color: 'var(--series-3)', path: 'M3.5 2.5h7v7h-7Z' },
  { symbol: 'star', color: 'var(--series-5)', path: 'M7 0l1.6 4 4 .3-3.1 2.6 1 4L7 8.7 3.5 10.9l1-4L1.4 4.3l4-.3Z' },
  { symbol: 'cross', color: 'var(--series-6)', path: 'M5.5 1h3v3.5H12v3H8.5V11h-3V7.5H2v-3h3.5Z' },
] as const;

const styleOf = (model: number): (typeof STYLES)[number] => STYLES[model % STYLES.length];

function legendOf(labels: readonly string[]): HTMLElement[] {
  return labels.map((label, model) => {
    const { path, color } = styleOf(model);
    return legendEntry(sign(14, svgEl('path', { d: path, fill: color })), label);
  });
}

function tipOf({ row, accuracy, model }: Dot, labels: readonly string[], first: string): string[] {
  const { value, stderr, paired } = accuracy;
  const error = stderr === null ? '' : ` ± ${(100 * stderr).toFixed(1)}`;
  return [
    `${row.title}: ${labels[model]}`,
    `${(100 * value!).toFixed(1)} %${error}, ${itemsText(row.items)}`,
    ...(paired ? [t('{0} to {1}', differenceText(paired), first)] : []),
    ...(paired?.items ? [pValueText(paired.items)] : []),
  ];
}

const tableOf = (rows: readonly AccuracyRow[], labels: readonly string[]): Numbers =>
  numbersBy(
    () => rows,
    [
      [t('Task'), ({ title }) => title],
      [t('Items'), ({ items }) => items],
      [t('Metric'), ({ metric }) => (metric === undefined ? '' : metric === 'acc' ? 'acc' : 'acc_norm')],
      ...labels.flatMap((label, m) => columnsOf(label, ({ models }) => models[m], m > 0)),
    ],
  );

/** Of one model. @param isCompared with the first one */
function columnsOf(label: string, of: (row: AccuracyRow) => Accuracy, isCompared: boolean): Column<AccuracyRow>[] {
  const own: Column<AccuracyRow>[] = [
    [label, (row) => of(row).value],
    [t('{0}: standard error', label), (row) => of(row).stderr],
  ];
  if (!isCompared) return own;
  return [
    ...own,
    [t('{0}: difference', label), (row) => of(row).paired?.difference ?? null],
    [t('{0}: half of the 95 % interval', label), (row) => of(row).paired?.interval ?? null],
    [t('{0}: p (McNemar)', label), (row) => of(row).paired?.items?.pValue ?? null],
  ];
}
