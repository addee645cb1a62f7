/** Undo and redo of plans, for changes from charts, the tree and commands. The workspace keeps the steps and the plans. */
import { isObject } from '../../format/json';
import type { Memento } from '../../state/memento';
import type { Subscription } from '../../sidecar/emitter';
import { type Plans, type PlanState, type PlanSubject, readPlan } from '../../state/plan';

const MAX_STEPS = 100;

/** Earlier plans and undone plans. The next step is the last entry of each list. */
export interface PlanSteps {
  readonly past: readonly PlanState[];
  readonly future: readonly PlanState[];
}

export class PlanHistory {
  private past: PlanState[];
  private future: PlanState[];

  constructor(
    private current: PlanState,
    { past, future }: PlanSteps = { past: [], future: [] },
  ) {
    this.past = [...past];
    this.future = [...future];
  }

  get steps(): PlanSteps & { readonly current: PlanState } {
    return { past: this.past, future: this.future, current: this.current };
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Records the current plan. The same blocks are the same step, even if another criterion suggested them. */
  note(plan: PlanState): void {
    const same = plan.removed.join() === this.current.removed.join();
    if (!same) {
      this.past = [...this.past, this.current].slice(-MAX_STEPS);
      this.future = [];
    }
    this.current = plan;
  }

  /** @returns the previous plan; undefined if there is none */
  undo(): PlanState | undefined {
    return this.move(this.past, this.future);
  }

  /** @returns the last undone plan; undefined if there is none */
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

const KEY = 'planHistories';

interface Kept {
  readonly subject: Pick<PlanSubject, 'path' | 'identity'>;
  readonly history: PlanHistory;
}

/** The histories of all plans. They record changes while no panel is open. */
export class PlanHistories {
  /** By path of the checkpoint. */
  private readonly kept: Map<string, Kept>;
  private readonly subscription: Subscription;

  constructor(
    private readonly plans: Plans,
    private readonly store: Memento,
  ) {
    this.kept = new Map(readHistories(store.get(KEY)).map((each) => [each.subject.path, each]));
    this.subscription = plans.onChange((path) => this.noteChange(path));
  }

  /** The history of a checkpoint's plan. A checkpoint with changed files gets a new one. */
  of(subject: PlanSubject): PlanHistory {
    const { path, identity } = subject;
    const known = this.kept.get(path);
    const history = known?.subject.identity === identity ? known.history : new PlanHistory(this.plans.state(subject));
    this.kept.set(path, { subject, history });
    history.note(this.plans.state(subject));
    return history;
  }

  /** Undoes or redoes a step of the plan, if there is one. */
  move(subject: PlanSubject, way: 'undo' | 'redo'): void {
    const plan = this.of(subject)[way]();
    if (!plan) return;
    this.plans.restore(subject, plan);
    this.save();
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private noteChange(path: string): void {
    const { subject, history } = this.kept.get(path) ?? {};
    if (!subject || !history) return;
    history.note(this.plans.state({ ...subject, blocks: Infinity }));
    this.save();
  }

  private save(): void {
    const all = [...this.kept].map(([path, { subject, history }]) => [
      path,
      { identity: subject.identity, ...history.steps },
    ]);
    void this.store.update(KEY, Object.fromEntries(all));
  }
}

/** Reads histories that this or another version stored. */
function readHistories(stored: unknown): Kept[] {
  if (!isObject(stored)) return [];
  const read = (list: unknown): PlanState[] =>
    (Array.isArray(list) ? list : []).flatMap((each) => readPlan(each) ?? []);
  return Object.entries(stored as Record<string, Record<string, unknown> | null>).flatMap(([path, history]) => {
    const current = readPlan(history?.current);
    if (typeof history?.identity !== 'string' || !current) return [];
    const steps = { past: read(history.past), future: read(history.future) };
    return [{ subject: { path, identity: history.identity }, history: new PlanHistory(current, steps) }];
  });
}
