/** What the chart of curves draws: its data, and every model on it as a dot. */
import type { CurveDigest, PanelModel, PanelPlan, RetrainedDigest, WhatIfState } from '../../../src/protocol/panel';
import { isFloat32, precisionWords } from '../../../src/format/arithmetic';
import { numeric } from '../../../src/format/json';
import { t } from '../../support/l10n';
import { goesNext, samePlan } from '../state/curve-plans';
import { namedIn } from '../state/precisions';
import type { Limit } from './guides';
import type { SeriesStyle } from './series';

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
  /** The limit of the goal on these rows; undefined without one, or if it is unknown. */
  readonly goal?: Limit;
}

/** Models whose remaining blocks were changed. */
export type Better = 'retrained' | 'healed';
export const BETTER: readonly Better[] = ['retrained', 'healed'];

export interface Dot {
  readonly count: number;
  readonly ppl: number;
  readonly label: string;
  readonly removed: readonly number[];
  /** The criterion that chose these blocks, for a point of a curve. */
  readonly criterion?: string;
  readonly series?: SeriesStyle;
  /** The blocks that the curve removes after these. */
  readonly next?: readonly number[];
  /** float32 unless it is given. */
  readonly precision?: string | null;
  /** The precision of a quick number, which float32 replaces. */
  readonly quick?: string;
  readonly kind: 'curve' | 'whole' | 'plan' | Better;
  /** Divergence from the unpruned model, and accuracy in tasks, where the curve has them. */
  readonly kl?: number;
  readonly accuracy?: number;
}

export const chosenName = (still: boolean): string => (still ? t('Chosen blocks') : t('This plan'));

export function dotsOf(data: CurveData, still: boolean): Dot[] {
  const { series, whatIf, retrained } = data;
  const curves = series.flatMap(curveDots);
  // If no curve starts with the whole model, the whole model is a separate point, for comparison.
  const full = numeric(whatIf.full);
  const begins = curves.some((dot) => dot.count === 0);
  const whole: Dot[] =
    begins || !Number.isFinite(full) ? [] : [{ count: 0, ppl: full, label: t('Original'), removed: [], kind: 'whole' }];
  const recovered = retrained.map(({ label, removed, ppl, healed, precision }): Dot => ({
    count: removed.length,
    ppl: numeric(ppl),
    label: healed ? t('{0}, healed', fileLabel(label)) : t('{0}, retrained', label),
    removed,
    kind: healed ? 'healed' : 'retrained',
    precision,
  }));
  return [...whole, ...curves, ...recovered, ...planDots(data, still)];
}

const curveDots = ({ name, style, points, criterion, computed: { precision } }: CurveSeries): Dot[] =>
  points.map(({ count, removed, ppl, kl, accuracy }): Dot => ({
    count,
    ppl: numeric(ppl),
    label: name,
    removed,
    criterion,
    series: style,
    kind: 'curve',
    precision,
    next: goesNext(points, removed),
    ...(kl !== undefined && { kl: numeric(kl) }),
    ...(accuracy !== undefined && { accuracy: numeric(accuracy) }),
  }));

/** The plan. One that removes no block is the whole model, which has a point already. */
function planDots({ series, plan, whatIf }: CurveData, still: boolean): Dot[] {
  const { removed } = plan;
  if (removed.length === 0) return [];
  const dot = { count: removed.length, removed, kind: 'plan' as const };
  const isMeasured = whatIf.ppl !== null && samePlan(whatIf.removed, removed);
  if (isMeasured && isFloat32(whatIf.precision))
    return [{ ...dot, ppl: numeric(whatIf.ppl), label: chosenName(still) }];
  // A point of a curve was measured on the same rows. The plan need not wait to be measured again.
  const known = series
    .filter(({ whole, computed }) => whole && isFloat32(computed.precision))
    .flatMap(({ points }) => points.find((point) => samePlan(point.removed, removed)) ?? [])[0];
  if (known) return [{ ...dot, ppl: numeric(known.ppl), label: chosenName(still) }];
  if (!isMeasured) return [];
  // The quick number is moved to where float32 has the whole model, so it stands beside that.
  const label = namedIn(chosenName(still), whatIf.precision);
  return [{ ...dot, ppl: numeric(whatIf.ppl), label, quick: whatIf.precision }];
}

export interface Arrow {
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** Arrows that show what retraining or healing recovered, from the point of the same blocks without it. */
export function arrowsOf(dots: readonly Dot[]): Arrow[] {
  return dots.filter(isBetter).flatMap((after) => {
    const before = dots.find(
      (dot) => !isBetter(dot) && samePlan(dot.removed, after.removed) && isSamePrecision(dot, after),
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

/** Perplexity of the whole model in the precision of the point; NaN if it is not known. */
export function wholeOf(dot: Pick<Dot, 'precision'>, { whatIf, series }: Pick<CurveData, 'whatIf' | 'series'>): number {
  if (isFloat32(dot.precision)) return numeric(whatIf.full);
  const own = series.filter(({ whole, computed }) => whole && isSamePrecision(computed, dot));
  return numeric(own.flatMap(({ points }) => points.find(({ count }) => count === 0) ?? [])[0]?.ppl ?? null);
}
