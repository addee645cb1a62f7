/**
 * The control below the curve: how many blocks go. It sets the plan to that point of the curve, once for every position
 * that it is left at, and follows the plan. It lies under the chart's axis, so that its thumb is below the point.
 */
import type { PanelModel, PanelPlan } from '../../../src/protocol/panel';
import { formatBytes, formatFactor, shortNumber } from '../../../src/format/numbers';
import { blocksText } from '../../support/amounts';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { dropdown } from '../../support/ui';
import type { CurvePlaces, CurveSeries } from '../charts/curve';
import { nextText } from '../charts/curve-words';
import type { Limit } from '../charts/guides';
import {
  bytesWithout,
  type CurvePlan,
  goesNext,
  largestWithin,
  nearestPlan,
  plansOf,
  samePlan,
  speedAt,
} from '../state/curve-plans';
import './curve-slider.css';

/** Keys that follow each other within this time are one movement. */
const SETTLE_MS = 250;
/** Half of the thumb's width in curve-slider.css. */
const HALF_THUMB = 7;

/** What the slider works on. */
export interface Slid {
  readonly series: CurveSeries;
  /** The curves to choose from. */
  readonly all: readonly CurveSeries[];
  readonly plan: PanelPlan;
  readonly model: PanelModel;
  /** Perplexity of the whole model in the precision of the curve; NaN if unknown. */
  readonly whole: number;
  readonly goal?: Limit;
}

export class CurveSlider {
  readonly element: HTMLElement;
  private readonly range = el('input', { type: 'range', min: 0, step: 1, class: 'curve-range' });
  private readonly words = el('p', { class: 'curve-words' });
  private readonly most = el('button', { type: 'button', class: 'curve-most' });
  private readonly which;
  private slid: Slid | undefined;
  private plans: readonly CurvePlan[] = [];
  private places: CurvePlaces | undefined;
  /** The position before the last movement. */
  private at = 0;
  /** The user moves it, so the plan must not. */
  private isHeld = false;
  private isByPointer = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The plan that the user has replaced: the slider stays until another one comes. */
  private replaced: PanelPlan | undefined;

  /** @param adopt makes a point the plan @param choose takes the curve of this name */
  constructor(
    private readonly adopt: (plan: CurvePlan, series: CurveSeries) => void,
    choose: (name: string) => void,
  ) {
    const { range } = this;
    this.which = dropdown(t('Curve'), choose);
    this.most.addEventListener('click', () => this.takeLargest());
    range.setAttribute('aria-label', t('Blocks removed'));
    range.addEventListener('pointerdown', () => (this.isHeld = this.isByPointer = true));
    range.addEventListener('pointerup', () => (this.isHeld = false));
    range.addEventListener('keydown', () => (this.isByPointer = false));
    range.addEventListener('input', () => this.move());
    range.addEventListener('change', () => this.settle());
    this.element = el(
      'div',
      { class: 'curve-slider', role: 'group', 'aria-label': t('Plan on the curve') },
      range,
      el('div', { class: 'curve-line' }, this.words, this.most, this.which.element),
    );
  }

  show(slid: Slid): void {
    this.slid = slid;
    const { series, all, whole, plan } = slid;
    this.plans = plansOf(series.points, whole);
    this.range.max = String(this.plans.at(-1)!.count);
    this.which.element.hidden = all.length < 2;
    this.which.show(
      all.map(({ name }) => ({ value: name, label: name })),
      series.name,
    );
    if (this.replaced !== plan) this.replaced = undefined;
    if (!this.isHeld && this.timer === undefined && !this.replaced) this.follow();
    this.offerLargest();
    this.lie();
  }

  /** Lies below the axis of the chart. */
  align(places: CurvePlaces): void {
    this.places = places;
    this.lie();
  }

  private lie(): void {
    const { places, plans, range } = this;
    if (!places || plans.length === 0) return;
    const [from, to] = [places.x(0), places.x(plans.at(-1)!.count)];
    range.style.marginInlineStart = `${from - HALF_THUMB}px`;
    range.style.width = `${to - from + 2 * HALF_THUMB}px`;
    this.mark();
  }

  /** Takes the position of the plan. */
  private follow(): void {
    const { removed } = this.slid!.plan;
    const found = this.plans.find((plan) => samePlan(plan.removed, removed));
    this.at = Math.min(found?.count ?? removed.length, this.plans.at(-1)!.count);
    this.range.value = String(this.at);
    this.range.classList.toggle('is-off', !found);
    this.say(found);
  }

  /** The user has moved it. */
  private move(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isHeld = true;
    const plan = nearestPlan(this.plans, this.range.valueAsNumber, this.at);
    this.at = plan.count;
    this.range.value = String(plan.count);
    this.range.classList.remove('is-off');
    this.say(plan);
    this.mark();
  }

  /** The pointer has let go; or a key was pressed, which others may follow. */
  private settle(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.isByPointer) this.take();
    else this.timer = setTimeout(() => this.take(), SETTLE_MS);
  }

  private take(): void {
    this.timer = undefined;
    this.isHeld = false;
    const { plan, series } = this.slid!;
    const taken = this.plans.find(({ count }) => count === this.at);
    if (!taken || samePlan(taken.removed, plan.removed)) {
      this.follow();
      return;
    }
    this.replaced = plan;
    this.adopt(taken, series);
  }

  /** Rings the point in the chart while it is not the plan. */
  private mark(): void {
    const { removed } = this.slid!.plan;
    const isOff = this.range.classList.contains('is-off');
    const plan = this.plans.find(({ count }) => count === this.at);
    this.places?.mark(isOff || !plan || samePlan(plan.removed, removed) ? undefined : plan);
  }

  private say(plan: CurvePlan | undefined): void {
    const { model, series } = this.slid!;
    if (!plan) {
      this.words.textContent = t('The plan is not on this curve.');
      this.range.setAttribute('aria-valuetext', `${blocksText(this.at)}. ${this.words.textContent}`);
      return;
    }
    const { count, ppl, ratio, removed } = plan;
    const bytes = bytesWithout(model, removed);
    const facts = [
      t('{0} removed', blocksText(count)),
      ...(Number.isFinite(ppl) ? [t('perplexity {0}', shortNumber(ppl))] : []),
      ...(Number.isFinite(ratio) ? [formatFactor(ratio)] : []),
      ...(bytes > 0 ? [formatBytes(bytes)] : []),
    ];
    this.range.setAttribute('aria-valuetext', facts.join(', '));
    const next = goesNext(series.points, removed);
    this.words.textContent =
      count === 0
        ? t('Original. Drag, or click a point of the curve, to make it the plan.')
        : [
            ...facts,
            t('estimated speed {0}', formatFactor(speedAt(model, count))),
            ...(next && next.length > 0 ? [nextText(next)] : []),
          ].join(' · ');
  }

  private get largest(): CurvePlan | undefined {
    const { goal } = this.slid!;
    return goal && largestWithin(this.plans, goal.ppl);
  }

  /** A button to take the largest plan within the goal, or why there is none. */
  private offerLargest(): void {
    const { most, largest } = this;
    const { goal, plan } = this.slid!;
    most.hidden = goal === undefined;
    if (!goal) return;
    const limit = formatFactor(goal.ratio);
    most.textContent = largest ? t('Largest within {0}', limit) : t('No plan of this curve is within {0}', limit);
    most.disabled = largest === undefined || samePlan(largest.removed, plan.removed);
  }

  private takeLargest(): void {
    const { largest, slid } = this;
    if (largest) this.adopt(largest, slid!.series);
  }
}
