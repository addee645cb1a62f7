/**
 * The plan: which blocks of which checkpoint are to go. Tree, chart and commands read and write it only here. It
 * outlives the window, and is dropped when the checkpoint's files become others. Knows nothing of VS Code.
 */
import { Emitter, type Subscription } from '../sidecar/emitter';

/** Where plans are kept; `workspaceState` is one. */
export interface PlanStore {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** What a plan is about. */
export interface PlanSubject {
  /** As the library names the checkpoint. */
  readonly path: string;
  readonly identity: string;
  readonly blocks: number;
}

interface StoredPlan {
  readonly identity: string;
  /** 0-based, ascending. */
  readonly removed: readonly number[];
}

const KEY = 'plans';

export class Plans {
  private readonly plans: Map<string, StoredPlan>;
  private readonly changed = new Emitter<string>();
  /** Tells the path of the checkpoint whose plan is another now. */
  readonly onChange: (listener: (path: string) => void) => Subscription = this.changed.on;

  constructor(private readonly store: PlanStore) {
    this.plans = new Map(Object.entries(readPlans(store.get(KEY))));
  }

  /** The blocks that are to go, ascending. */
  removed({ path, identity, blocks }: PlanSubject): readonly number[] {
    const plan = this.plans.get(path);
    if (plan?.identity !== identity) return [];
    return plan.removed.filter((block) => block < blocks);
  }

  /** Sets the whole plan. What is no block of the model is left out, and at least one block stays. */
  set(subject: PlanSubject, removed: Iterable<number>): void {
    const { path, identity, blocks } = subject;
    const isBlock = (block: number): boolean => Number.isInteger(block) && block >= 0 && block < blocks;
    const wanted = [...new Set(removed)].filter(isBlock).sort((a, b) => a - b);
    const next = wanted.length < blocks ? wanted : wanted.slice(0, -1);
    if (next.join() === this.removed(subject).join()) return;
    if (next.length === 0) this.plans.delete(path);
    else this.plans.set(path, { identity, removed: next });
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

/** Whatever was stored, by this version or another. */
function readPlans(stored: unknown): Record<string, StoredPlan> {
  if (typeof stored !== 'object' || stored === null) return {};
  const plans: Record<string, StoredPlan> = {};
  for (const [path, plan] of Object.entries(stored as Record<string, Partial<StoredPlan> | null>)) {
    if (typeof plan?.identity !== 'string' || !Array.isArray(plan.removed)) continue;
    const removed = plan.removed.filter((block): block is number => Number.isInteger(block));
    plans[path] = { identity: plan.identity, removed };
  }
  return plans;
}
