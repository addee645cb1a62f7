/**
 * Perplexity by the number of removed blocks, one line for each criterion, with parameters and estimated speed on a second
 * axis. The current plan is a provisional point. Retrained and healed models are separate points.
 */
import * as Plot from '@observablehq/plot';
import type { CurveDigest, PanelModel, PanelPlan, RetrainedDigest, WhatIfState } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { isFloat32, precisionWords } from '../../../src/format/arithmetic';
import { t } from '../../support/l10n';
import { type ChartFrame, type Drawing, legendEntry } from './frame';
import { formatPercent, shortCount, shortNumber, formatFactor } from '../../../src/format/numbers';
import { blockList, numeric } from '../numbers';
import { namedIn } from '../state/precisions';
import { perplexityScale, removedAxis, removedTicks, wholeRule } from './removed-axes';
import { lineSign, type SeriesStyle } from './series';
import { type Cell, known } from './table';
import { addTargets, type Target } from './targets';

export interface CurveSeries {
  readonly name: string;
  readonly style: SeriesStyle;
  readonly points: CurveDigest['points'];
  readonly criterion: string;
  /** Name of the text on which the curve was measured. */
  readonly text: string;
  /** The model has no adapter, and lacks only the blocks of each point. */
  readonly whole: boolean;
  readonly computed: { readonly precision?: string | null; readonly device: string | null };
}

/** A retrained or healed model; float32 without a precision. */
export type RetrainedPoint = RetrainedDigest & { readonly precision?: string | null };

export interface CurveData {
  readonly series: readonly CurveSeries[];
  readonly model: PanelModel;
  readonly plan: PanelPlan;
  /** On the same rows as the series. It has no numbers if it was measured on other rows. */
  readonly whatIf: WhatIfState;
  readonly retrained: readonly RetrainedPoint[];
}

/** Models whose remaining blocks were changed. */
type Better = 'retrained' | 'healed';
const BETTER: readonly Better[] = ['retrained', 'healed'];

interface Dot {
  readonly count: number;
  readonly ppl: number;
  readonly label: string;
  readonly removed: readonly number[];
  /** The criterion that chose these blocks, for a point of a curve. */
  readonly criterion?: string;
  readonly series?: SeriesStyle;
  /** float32 unless it is given. */
  readonly precision?: string | null;
  /** The precision of a quick number, which float32 replaces. */
  readonly quick?: string;
  readonly kind: 'curve' | 'whole' | 'plan' | Better;
  /** Divergence from the unpruned model, and accuracy in tasks, where the curve has them. */
  readonly kl?: number;
  readonly accuracy?: number;
}

const HEIGHT = 400;
const LEFT = 54;
const RIGHT = 18;

export function drawCurve(
  data: CurveData,
  width: number,
  frame: ChartFrame,
  choose: (removed: readonly number[], criterion?: string) => void,
): Drawing {
  const dots = dotsOf(data, frame.still);
  const svg = plotOf(data, dots, width, frame.still);
  const [x, y] = [svg.scale('x')!, svg.scale('y')!];
  const reach = Math.max(10, (width - LEFT - RIGHT) / Math.max(8, Math.max(...dots.map((dot) => dot.count))));
  const targets = dots
    .filter(({ ppl }) => Number.isFinite(ppl))
    .map((dot, i): Target => {
      const [cx, cy] = [Number(x.apply(dot.count)), Number(y.apply(dot.ppl))];
      const size = Math.min(24, reach);
      const tip = tipOf(dot, data);
      return {
        key: `${dot.kind}-${dot.label}-${dot.count}-${i}`,
        x: cx - size / 2,
        y: cy - 12,
        width: size,
        height: 24,
        tipX: cx,
        tipY: cy,
        label: tip.join(', '),
        tip: dot.kind === 'plan' || frame.still ? tip : [...tip, t('Click or press Enter to make this the plan')],
        act: () => choose(dot.removed, dot.criterion),
      };
    });
  addTargets(svg, t('Points of the curves'), targets, frame);
  const rows = (): Cell[][] =>
    dots.map((dot) => [
      dot.label,
      dot.count,
      known(dot.ppl),
      parametersAt(data.model, dot.count),
      speedAt(data.model, dot.count),
      blockList(dot.removed),
    ]);
  return {
    charts: [svg],
    table: {
      head: [t('Series'), t('Removed'), t('Perplexity'), t('Parameters'), t('Estimated speed'), t('Blocks')],
      rows,
    },
    legend: legendOf(data, dots, frame.still),
  };
}

const chosenName = (still: boolean): string => (still ? t('Chosen blocks') : t('This plan'));

function dotsOf({ series, plan, whatIf, retrained }: CurveData, still: boolean): Dot[] {
  const curves = series.flatMap(({ name, style, points, criterion, computed: { precision } }) =>
    points.map(({ count: n, removed, ppl, kl, accuracy }): Dot => ({
      count: n,
      ppl: numeric(ppl),
      label: name,
      removed,
      criterion,
      series: style,
      kind: 'curve',
      precision,
      ...(kl !== undefined && { kl: numeric(kl) }),
      ...(accuracy !== undefined && { accuracy: numeric(accuracy) }),
    })),
  );
  // If no curve starts with the whole model, the whole model is a separate point, for comparison.
  const full = numeric(whatIf.full);
  const begins = curves.some((dot) => dot.count === 0);
  const whole: Dot[] =
    begins || !Number.isFinite(full)
      ? []
      : [{ count: 0, ppl: full, label: t('Whole model'), removed: [], kind: 'whole' }];
  const recovered = retrained.map(({ label, removed, ppl, healed, precision }): Dot => ({
    count: removed.length,
    ppl: numeric(ppl),
    label: healed ? t('{0}, healed', fileLabel(label)) : t('{0}, retrained', label),
    removed,
    kind: healed ? 'healed' : 'retrained',
    precision,
  }));
  // A plan that removes no block is the whole model, which has a point already.
  const isPlan = plan.removed.length > 0 && whatIf.ppl !== null && whatIf.removed.join() === plan.removed.join();
  const now: Dot[] = isPlan
    ? [
        {
          count: plan.removed.length,
          ppl: numeric(whatIf.ppl),
          // The quick number is moved to where float32 has the whole model, so it stands beside that.
          label: namedIn(chosenName(still), whatIf.precision),
          removed: plan.removed,
          kind: 'plan',
          ...(!isFloat32(whatIf.precision) && { quick: whatIf.precision }),
        },
      ]
    : [];
  return [...whole, ...curves, ...recovered, ...now];
}

function plotOf(data: CurveData, dots: readonly Dot[], width: number, still: boolean): SVGSVGElement & Plot.Plot {
  const values = dots.map(({ ppl }) => ppl).filter((ppl) => Number.isFinite(ppl) && ppl > 0);
  const full = numeric(data.whatIf.full);
  const longest = Math.max(4, ...dots.map((dot) => dot.count));
  const ticks = (apart: number): number[] => removedTicks(longest, width - LEFT, apart);
  const at = (kind: Dot['kind']): Dot[] => dots.filter((dot) => dot.kind === kind && Number.isFinite(dot.ppl));
  return Plot.plot({
    width,
    height: HEIGHT,
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: 56,
    marginBottom: 40,
    style: { background: 'none', fontFamily: 'inherit', fontSize: '11px', overflow: 'visible' },
    x: { domain: [0, longest], insetLeft: 8, insetRight: 8 },
    y: perplexityScale(values),
    marks: [
      removedAxis(ticks(34)),
      Plot.axisX({
        anchor: 'top',
        ticks: ticks(66),
        tickSize: 3,
        tickFormat: (n: number) =>
          `${shortCount(parametersAt(data.model, n))}\n${formatFactor(speedAt(data.model, n))}`,
        label: null,
        color: 'var(--muted)',
      }),
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
      Plot.text(at('whole'), {
        x: 'count',
        y: 'ppl',
        dx: 8,
        dy: -8,
        textAnchor: 'start',
        fill: 'var(--ink)',
        text: (dot: Dot) => t('whole model {0}', shortNumber(dot.ppl)),
        stroke: 'var(--paper)',
        strokeWidth: 4,
      }),
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
      Plot.text(at('plan'), {
        x: 'count',
        y: 'ppl',
        dy: -16,
        text: ({ ppl, quick }: Dot) => {
          const number = shortNumber(ppl);
          if (still) return t('chosen {0}', number);
          return quick === undefined ? t('plan {0}', number) : namedIn(t('plan {0}', `≈ ${number}`), quick);
        },
        fill: 'var(--ink)',
        stroke: 'var(--paper)',
        strokeWidth: 4,
        fontWeight: 'bold',
      }),
      // The label is next to the symbol, because the numbers of the axis are below it.
      ...(['start', 'end'] as const).map((textAnchor) =>
        Plot.text(
          BETTER.flatMap(at).filter((dot) => sideOf(dot, dots, longest) === textAnchor),
          {
            x: 'count',
            y: 'ppl',
            dx: textAnchor === 'start' ? 10 : -10,
            dy: 3,
            textAnchor,
            text: ({ kind, ppl, precision }: Dot) =>
              namedIn(
                kind === 'healed' ? t('healed {0}', shortNumber(ppl)) : t('retrained {0}', shortNumber(ppl)),
                precision,
              ),
            fill: 'var(--ink)',
            stroke: 'var(--paper)',
            strokeWidth: 4,
          },
        ),
      ),
    ],
  }) as SVGSVGElement & Plot.Plot;
}

/** Where the label of a better model goes. That of a healed one makes way for that of a retrained one above the same count. */
function sideOf({ kind, count }: Dot, dots: readonly Dot[], longest: number): 'start' | 'end' {
  const usual = count > longest / 2 ? 'end' : 'start';
  const isTaken = kind === 'healed' && dots.some((other) => other.kind === 'retrained' && other.count === count);
  if (!isTaken) return usual;
  return usual === 'start' ? 'end' : 'start';
}

/** Arrows that show what retraining or healing recovered, from the point of the same blocks without it. */
function arrowsOf(dots: readonly Dot[]): { count: number; from: number; to: number }[] {
  return dots.filter(isBetter).flatMap((after) => {
    const before = dots.find(
      (dot) => !isBetter(dot) && dot.removed.join() === after.removed.join() && isSamePrecision(dot, after),
    );
    return before && Number.isFinite(before.ppl) ? [{ count: after.count, from: before.ppl, to: after.ppl }] : [];
  });
}

/** A file of healed weights without its ending. */
const fileLabel = (label: string): string => label.replace(/\.patch\.safetensors$/, '');

/** Only numbers of one precision are set against each other. */
const isSamePrecision = (one: Pick<Dot, 'precision'>, other: Pick<Dot, 'precision'>): boolean =>
  precisionWords(one.precision) === precisionWords(other.precision);

const isBetter = ({ kind }: Dot): boolean => kind === 'retrained' || kind === 'healed';

const parametersAt = ({ parameters, parametersPerBlock }: PanelModel, removed: number): number =>
  parameters - removed * parametersPerBlock;

/** An estimate: the time for a token grows with the parameters that are read for it. */
const speedAt = ({ parametersRead: read, parametersPerBlock }: PanelModel, removed: number): number =>
  read / (read - removed * parametersPerBlock);

/** Perplexity of the whole model in the precision of the point; NaN if it is not known. */
function wholeOf(dot: Dot, { whatIf, series }: CurveData): number {
  if (isFloat32(dot.precision)) return numeric(whatIf.full);
  const own = series.filter(({ whole, computed }) => whole && isSamePrecision(computed, dot));
  return numeric(own.flatMap(({ points }) => points.find(({ count }) => count === 0) ?? [])[0]?.ppl ?? null);
}

function tipOf(dot: Dot, data: CurveData): string[] {
  const full = wholeOf(dot, data);
  return [
    t('{0}: {1} removed', dot.label, dot.count),
    Number.isFinite(full)
      ? t('perplexity {0} ({1}× the whole model’s)', shortNumber(dot.ppl), shortNumber(dot.ppl / full, 3))
      : t('perplexity {0}', shortNumber(dot.ppl)),
    ...(dot.kl === undefined || dot.count === 0 ? [] : [t('divergence {0} nats', shortNumber(dot.kl, 3))]),
    ...(dot.accuracy === undefined ? [] : [t('accuracy {0}', formatPercent(dot.accuracy))]),
    t('{0} parameters', shortCount(parametersAt(data.model, dot.count))),
    t('estimated speed {0}', formatFactor(speedAt(data.model, dot.count))),
    t('blocks {0}', blockList(dot.removed)),
  ];
}

function legendOf({ series }: CurveData, dots: readonly Dot[], still: boolean): HTMLElement[] {
  const sign = (path: string, attributes: Record<string, string | number>): SVGElement =>
    svgEl(
      'svg',
      { width: 14, height: 12, 'aria-hidden': 'true', class: 'sign' },
      svgEl('path', { d: path, ...attributes }),
    );
  const has = (kind: Dot['kind']): boolean => dots.some((dot) => dot.kind === kind);
  return [
    ...series.map(({ name, style }) => legendEntry(lineSign(style), name)),
    // In the panel, clicks show and hide the plan's point. Its legend entry stays.
    ...(!still || has('plan')
      ? [
          legendEntry(
            sign('M7 1 12 6 7 11 2 6Z', { fill: 'none', stroke: 'var(--removed)', 'stroke-width': 2 }),
            chosenName(still),
          ),
        ]
      : []),
    ...(has('retrained')
      ? [
          legendEntry(
            sign('M7 0l1.6 4 4 .3-3.1 2.6 1 4L7 8.7 3.5 10.9l1-4L1.4 4.3l4-.3Z', { fill: 'var(--good)' }),
            t('Retrained'),
          ),
        ]
      : []),
    ...(has('healed')
      ? [legendEntry(sign('M5.5 1h3v3.5H12v3H8.5V11h-3V7.5H2v-3h3.5Z', { fill: 'var(--good)' }), t('Healed'))]
      : []),
  ];
}
