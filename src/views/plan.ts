/**
 * The plan: which blocks of which checkpoint are to go, and which suggestion it began with. Tree, chart and commands read
 * and write it only here. It outlives the window, and is dropped when the checkpoint's files become others. Knows nothing
 * of VS Code.
 */
import { type Choice, choiceOf, type Suggestion } from '../engine/importance/choice';
import type { Memento } from '../host/memento';
import { Emitter, type Subscription } from '../sidecar/emitter';

/** What a plan is about. */
export interface PlanSubject {
  /** As the library names the checkpoint. */
  readonly path: string;
  readonly identity: string;
  readonly blocks: number;
}

/** All of a plan that undo brings back. */
export interface PlanState {
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  /** What it began with; what was changed by hand since then is the difference. Undefined for a plan made by hand. */
  readonly suggestion?: Suggestion;
}

interface StoredPlan extends PlanState {
  readonly identity: string;
}

const KEY = 'plans';

export class Plans {
  private readonly plans: Map<string, StoredPlan>;
  private readonly changed = new Emitter<string>();
  /** Tells the path of the checkpoint whose plan is another now. */
  readonly onChange: (listener: (path: string) => void) => Subscription = this.changed.on;

  constructor(private readonly store: Memento) {
    this.plans = new Map(Object.entries(readPlans(store.get(KEY))));
  }

  /** The plan as it is. */
  state({ path, identity, blocks }: PlanSubject): PlanState {
    const plan = this.plans.get(path);
    if (plan?.identity !== identity) return { removed: [] };
    const { removed, suggestion } = plan;
    return { removed: removed.filter((block) => block < blocks), ...(suggestion && { suggestion }) };
  }

  /** The blocks that are to go, ascending. */
  removed(subject: PlanSubject): readonly number[] {
    return this.state(subject).removed;
  }

  /** How the blocks that are to go were chosen. */
  choice(subject: PlanSubject): Choice {
    const { removed, suggestion } = this.state(subject);
    return choiceOf(removed, suggestion);
  }

  /** Sets the plan by hand: a suggestion that it began with is remembered, until every block stays. */
  set(subject: PlanSubject, removed: Iterable<number>): void {
    const { suggestion } = this.state(subject);
    this.restore(subject, { removed: [...removed], ...(suggestion && { suggestion }) });
  }

  /** Sets the plan to what a criterion suggests. */
  suggest(subject: PlanSubject, suggestion: Suggestion): void {
    this.restore(subject, { removed: suggestion.blocks, suggestion });
  }

  /** Sets the plan to an earlier one. Numbers that are not blocks of the model are dropped; at least one block stays. */
  restore(subject: PlanSubject, { removed, suggestion }: PlanState): void {
    const { path, identity, blocks } = subject;
    const isBlock = (block: number): boolean => Number.isInteger(block) && block >= 0 && block < blocks;
    const wanted = [...new Set(removed)].filter(isBlock).sort((a, b) => a - b);
    const next = wanted.length < blocks ? wanted : wanted.slice(0, -1);
    const before = this.state(subject);
    if (next.join() === before.removed.join() && sameSuggestion(suggestion, before.suggestion)) return;
    if (next.length === 0) this.plans.delete(path);
    else this.plans.set(path, { identity, removed: next, ...(suggestion && { suggestion }) });
    void this.store.update(KEY, Object.fromEntries(this.plans));
    this.changed.fire(path);
  }

  /** Keeps (ticked) or removes blocks, on top of the plan as it is. */
  change(subject: PlanSubject, blocks: Iterable<readonly [block: number, kept: boolean]>): void {
    const removed = new Set(this.removed(subject));
    for (const [block, kept] of blocks) {
      if (kept) removed.delete(block);
      else removed.add(block);
    }
    this.set(subject, removed);
  }
}

const sameSuggestion = (one: Suggestion | undefined, other: Suggestion | undefined): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** Reads what this or another version stored. */
function readPlans(stored: unknown): Record<string, StoredPlan> {
  if (typeof stored !== 'object' || stored === null) return {};
  const plans: Record<string, StoredPlan> = {};
  for (const [path, plan] of Object.entries(stored as Record<string, Partial<StoredPlan> | null>)) {
    const state = readPlan(plan);
    if (typeof plan?.identity === 'string' && state) plans[path] = { identity: plan.identity, ...state };
  }
  return plans;
}

/** A plan as it was stored; undefined for what is none. */
export function readPlan(stored: unknown): PlanState | undefined {
  const plan = stored as Partial<PlanState> | null | undefined;
  if (!Array.isArray(plan?.removed)) return undefined;
  const removed = plan.removed.filter((block): block is number => Number.isInteger(block));
  return { removed, ...(isSuggestion(plan.suggestion) && { suggestion: plan.suggestion }) };
}

const isSuggestion = (stored: Partial<Suggestion> | undefined): stored is Suggestion =>
  typeof stored?.criterion === 'string' && typeof stored.goal === 'object' && Array.isArray(stored.blocks);
