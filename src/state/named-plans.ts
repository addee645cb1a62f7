/** Plans that the user has given a name, kept with the workspace for the files that they were made for. Does not use VS Code. */
import { isObject } from '../format/json';
import type { Memento } from './memento';
import { Emitter, type Subscription } from '../sidecar/emitter';
import { KeptMap } from './kept-map';
import { type PlanState, type PlanSubject, readPlan } from './plan';

export interface KeptPlan extends PlanState {
  readonly name: string;
}

type Stored = KeptPlan & { readonly identity: string };

const KEY = 'namedPlans';

export class NamedPlans {
  private readonly kept: KeptMap<readonly Stored[]>;
  private readonly changed = new Emitter<string>();
  /** Fires with the path of the checkpoint whose named plans have changed. */
  readonly onChange: (listener: (path: string) => void) => Subscription = this.changed.on;

  constructor(store: Memento) {
    this.kept = new KeptMap(store, KEY, readList, (path) => this.changed.fire(path));
  }

  /** In the order of their names. */
  of({ path, identity }: PlanSubject): readonly KeptPlan[] {
    return (this.kept.get(path) ?? []).filter((plan) => plan.identity === identity);
  }

  /** Keeps a plan. One of the same name is replaced. */
  keep(subject: PlanSubject, name: string, plan: PlanState): void {
    const { path, identity } = subject;
    const others = this.of(subject).filter((other) => other.name !== name);
    this.write(path, identity, [...others, { name, ...plan }]);
  }

  forget(subject: PlanSubject, name: string): void {
    const { path, identity } = subject;
    this.write(
      path,
      identity,
      this.of(subject).filter((other) => other.name !== name),
    );
  }

  /** Forgets the plans of a checkpoint that is gone. */
  forgetAll(path: string): void {
    if (!this.kept.delete(path)) return;
    this.changed.fire(path);
  }

  private write(path: string, identity: string, plans: readonly KeptPlan[]): void {
    const sorted = [...plans].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    if (sorted.length === 0) this.kept.delete(path);
    else
      this.kept.set(
        path,
        sorted.map((plan) => ({ ...plan, identity })),
      );
    this.changed.fire(path);
  }
}

/** Reads what was stored, also by other versions. */
function readList(stored: unknown): readonly Stored[] | undefined {
  const read = Array.isArray(stored) ? stored.flatMap(readOne) : [];
  return read.length > 0 ? read : undefined;
}

function readOne(stored: unknown): Stored[] {
  if (!isObject(stored) || typeof stored.name !== 'string' || typeof stored.identity !== 'string') return [];
  const plan = readPlan(stored);
  return plan ? [{ name: stored.name, identity: stored.identity, ...plan }] : [];
}
