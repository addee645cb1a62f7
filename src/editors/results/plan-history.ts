/** Undo and redo of a plan, whoever changed it: chart, tree or command. */
import type { PlanState } from '../../views/plan';

const MOST = 100;

export class PlanHistory {
  private past: PlanState[] = [];
  private future: PlanState[] = [];

  constructor(private current: PlanState) {}

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Notes what the plan is now. The same blocks are the same step, whatever suggested them. */
  note(plan: PlanState): void {
    const same = plan.removed.join() === this.current.removed.join();
    if (!same) {
      this.past = [...this.past, this.current].slice(-MOST);
      this.future = [];
    }
    this.current = plan;
  }

  /** @returns the plan before, undefined when there is none */
  undo(): PlanState | undefined {
    return this.move(this.past, this.future);
  }

  /** @returns the plan that was undone last, undefined when there is none */
  redo(): PlanState | undefined {
    return this.move(this.future, this.past);
  }

  private move(from: PlanState[], to: PlanState[]): PlanState | undefined {
    const next = from.pop();
    if (!next) return undefined;
    to.push(this.current);
    this.current = next;
    return next;
  }
}
