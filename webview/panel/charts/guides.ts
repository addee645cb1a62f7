/** Horizontal lines of a chart of perplexity: the whole model, ratios to it, and the limit of the goal. */
import * as Plot from '@observablehq/plot';
import { formatFactor, shortNumber } from '../../../src/format/numbers';
import { t } from '../../support/l10n';
import type { ChartLabel } from './label-layer';
import { along } from './place-labels';

export interface Guide {
  readonly ppl: number;
  readonly label: string;
  /** The limit that a model must keep to ship. */
  readonly isGoal?: boolean;
}

/** The largest perplexity that the goal allows. */
export interface Limit {
  readonly ratio: number;
  readonly ppl: number;
}

const RATIOS = [1.25, 1.5];
/** Ratios that are so near to the goal's are left to it. */
const NEAR = 0.02;

/** @param whole perplexity of the whole model; NaN if unknown @param goal undefined without one, or if it is unknown */
export function guidesOf(whole: number, goal: Limit | undefined): Guide[] {
  const ratios = RATIOS.filter((ratio) => !goal || Math.abs((ratio * whole) / goal.ppl - 1) > NEAR);
  return [
    ...(goal ? [{ ppl: goal.ppl, label: t('goal {0}', formatFactor(goal.ratio)), isGoal: true }] : []),
    ...(Number.isFinite(whole) ? ratios.map((ratio) => ({ ppl: ratio * whole, label: formatFactor(ratio) })) : []),
  ];
}

/** The guides inside the range of the axis, without those that are too near to a more important one. */
export function visibleGuides(
  guides: readonly Guide[],
  [least, most]: readonly [number, number],
  y: (ppl: number) => number,
): Guide[] {
  const shown: Guide[] = [];
  for (const guide of guides) {
    const isFree = shown.every(({ ppl }) => Math.abs(y(ppl) - y(guide.ppl)) >= 15);
    if (guide.ppl > least && guide.ppl < most && isFree) shown.push(guide);
  }
  return shown;
}

/** The lines, and a light band below the goal's: what ships. @param least where the axis begins */
export function guideMarks(guides: readonly Guide[], least: number): Plot.Markish[] {
  const goals = guides.filter(({ isGoal }) => isGoal).map(({ ppl }) => ppl);
  const others = guides.filter(({ isGoal }) => !isGoal).map(({ ppl }) => ppl);
  return [
    Plot.rect(goals, { y1: least, y2: (ppl: number) => ppl, fill: 'var(--good)', fillOpacity: 0.07 }),
    Plot.ruleY(others, { stroke: 'var(--muted)', strokeDasharray: '1 4', strokeLinecap: 'round' }),
    Plot.ruleY(goals, { stroke: 'var(--good)', strokeWidth: 2, strokeDasharray: '9 4' }),
  ];
}

/** Labels of the lines, and of the whole model's. @param from, to where the axis lies, in pixels */
export function guideLabels(
  guides: readonly Guide[],
  whole: number,
  y: (ppl: number) => number,
  [from, to]: readonly [number, number],
): ChartLabel[] {
  const label = (ppl: number, text: string, more: Partial<ChartLabel> = {}): ChartLabel => ({
    text,
    color: 'var(--muted)',
    optional: true,
    ...more,
    places: (width, height) => along(y(ppl), from, to, width, height),
  });
  return [
    ...guides.map(({ ppl, label: text, isGoal }) =>
      label(ppl, text, isGoal ? { bold: true, color: 'var(--ink)' } : {}),
    ),
    ...(Number.isFinite(whole) ? [label(whole, t('original {0}', shortNumber(whole)))] : []),
  ];
}
