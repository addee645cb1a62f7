/** The plan in the panel: how the panel shows it, and how its messages change it. */
import type { Choice } from '../../engine/importance/choice';
import type { PanelPlan } from '../../protocol/panel';
import type { KeptPlan } from '../../state/named-plans';
import type { PlanSubject } from '../../state/plan';
import { subjectOf } from '../../state/subject';
import { planOf } from './facts';
import type { PlanHistory } from './plan-history';
import type { RunList } from './run-list';
import type { PanelServices, PanelCheckpoint } from './services';

export class PlanPart {
  private readonly history: PlanHistory;
  private readonly planSubject: PlanSubject;

  constructor(
    private readonly source: PanelCheckpoint,
    private readonly services: Pick<
      PanelServices,
      'plans' | 'namedPlans' | 'histories' | 'scores' | 'settings' | 'host'
    >,
  ) {
    this.planSubject = subjectOf(source.path, source.checkpoint)!;
    this.history = services.histories.of(this.planSubject);
  }

  /** The blocks to remove, ascending. */
  get removed(): readonly number[] {
    return this.services.plans.removed(this.planSubject);
  }

  /** How they were chosen. */
  get choice(): Choice {
    return this.services.plans.choice(this.planSubject);
  }

  now(): PanelPlan {
    const { scores, settings, host } = this.services;
    const healingTime = (removed: readonly number[]): string => host.healingTime(this.source, removed);
    return planOf(this.source, this.removed, this.history, settings(), scores.shown(this.planSubject), healingTime);
  }

  toggle(block: number): void {
    const { removed } = this;
    this.set(removed.includes(block) ? removed.filter((other) => other !== block) : [...removed, block]);
  }

  /**
   * @param criterion the criterion whose curve has these blocks as a point: its suggestion. Undefined for a choice by
   * hand.
   */
  set(removed: readonly number[], criterion?: string, runs?: RunList): void {
    const suggestion = criterion === undefined ? undefined : runs?.suggestion(criterion, removed);
    if (suggestion) this.services.plans.suggest(this.planSubject, suggestion);
    else this.services.plans.set(this.planSubject, removed);
  }

  /** The plans with a name. */
  get named(): readonly KeptPlan[] {
    return this.services.namedPlans.of(this.planSubject);
  }

  keep(name: string): void {
    const { plans, namedPlans } = this.services;
    namedPlans.keep(this.planSubject, name, plans.state(this.planSubject));
  }

  /** Makes a named plan the current one, if there is one of this name. */
  use(name: string): void {
    const found = this.named.find((plan) => plan.name === name);
    if (found) this.services.plans.restore(this.planSubject, found);
  }

  forget(name: string): void {
    this.services.namedPlans.forget(this.planSubject, name);
  }

  /** Undoes or redoes a step, if there is one. */
  move(way: 'undo' | 'redo'): void {
    this.services.histories.move(this.planSubject, way);
  }
}
