/** Puts the slider below the chart of curves, on the curve that the user chose, else on the one that has the plan. */
import type { ShipGoal } from '../../../src/protocol/journey';
import type { PanelKin, PanelText, WhatIfState } from '../../../src/protocol/panel';
import { numeric } from '../../../src/format/json';
import { type CurvePlaces, drawCurve } from '../charts/curve';
import { type CurveData, type CurveSeries, wholeOf } from '../charts/curve-dots';
import type { ChartFrame, Drawing } from '../charts/frame';
import type { Limit } from '../charts/guides';
import { samePlan } from '../state/curve-plans';
import { rowsOfPanel } from '../state/rows';
import { CurveSlider } from './curve-slider';
import type { Context } from './section';

export class CurveControl {
  private readonly slider: CurveSlider;
  private places: ((places: CurvePlaces) => void) | undefined;

  constructor(
    private readonly frame: ChartFrame,
    private readonly context: Context,
  ) {
    this.slider = new CurveSlider(
      ({ removed }, { criterion }) => this.adopt(removed, criterion),
      (name) => context.setView({ slider: name }),
    );
  }

  /** The chart, with the slider below it where a curve has plans to choose from. */
  draw(data: CurveData, width: number): Drawing {
    const choose = (removed: readonly number[], criterion?: string): void => this.adopt(removed, criterion);
    return drawCurve(data, width, this.frame, choose, this.places);
  }

  /** @param chosen name of the curve to move on; '' for the plan's */
  show(data: CurveData, chosen: string): void {
    const { series, plan, model, goal } = data;
    const all = series.filter(({ whole, points }) => whole && points.some(({ count }) => count > 0));
    if (this.context.still || all.length === 0) {
      this.places = undefined;
      this.frame.setBelow();
      return;
    }
    const own = all.find(({ name }) => name === chosen) ?? all.find((each) => hasPlan(each, plan.removed)) ?? all[0];
    this.slider.show({ series: own, all, plan, model, whole: wholeOf(own.computed, data), goal });
    this.places = (places) => this.slider.align(places);
    // What has the focus must not be put into the page again.
    if (!this.frame.element.contains(this.slider.element)) this.frame.setBelow(this.slider.element);
  }

  /** A curve's criterion says why these blocks were chosen; the whole model needs no reason. */
  private adopt(removed: readonly number[], criterion: string | undefined): void {
    const why = removed.length > 0 && criterion !== undefined;
    this.context.send({ type: 'plan/set', removed, ...(why && { criterion }) });
  }
}

const hasPlan = ({ points }: CurveSeries, removed: readonly number[]): boolean =>
  removed.length > 0 && points.some((point) => samePlan(point.removed, removed));

/** The largest perplexity that the goal allows on these rows; undefined without a limit, or if it is unknown there. */
export function limitOf(
  goal: ShipGoal | null,
  { original }: PanelKin,
  { full }: Pick<WhatIfState, 'full'>,
  rows: string | undefined,
  panel: PanelText | null,
): Limit | undefined {
  const ratio = goal?.maxRatio;
  if (ratio === undefined) return undefined;
  // A model that was made from another one is compared with that. It was measured on the panel's rows only.
  const base = original ? (rows === rowsOfPanel(panel) ? numeric(original.ppl) : NaN) : numeric(full);
  return Number.isFinite(base) ? { ratio, ppl: ratio * base } : undefined;
}
