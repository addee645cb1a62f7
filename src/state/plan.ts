/**
 * The plan of each checkpoint: the blocks to remove, and the suggestion that it started from. Tree, chart and
 * commands read and write it only here. It is kept with the workspace, and dropped when the checkpoint's files
 * change. Does not use VS Code.
 */
import { type Choice, choiceOf, type Suggestion } from '../engine/importance/choice';
import type { Memento } from './memento';
import { Emitter, type Subscription } from '../sidecar/emitter';
import { KeptMap } from './kept-map';

/** The checkpoint of a plan. */
export interface PlanSubject {
  /** Path of the checkpoint in the library. */
  readonly path: string;
  readonly identity: string;
  readonly blocks: number;
  /** Its weights have types that only GGUF files have, so that a plan becomes a GGUF file again, healed where that is possible. */
  readonly quantized?: true | 'healable';
}

/** The part of a plan that undo restores. */
export interface PlanState {
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  /** The suggestion it started from; differences are edits by hand. Undefined for a plan made by hand. */
  readonly suggestion?: Suggestion;
}

interface StoredPlan extends PlanState {
  readonly identity: string;
}

const KEY = 'plans';

export class Plans {
  private readonly plans: KeptMap<StoredPlan>;
  private readonly changed = new Emitter<string>();
  /** Fires with the path of the checkpoint whose plan has changed. */
  readonly onChange: (listener: (path: string) => void) => Subscription = this.changed.on;

  constructor(store: Memento) {
    this.plans = new KeptMap(store, KEY, readStored, (path) => this.changed.fire(path));
  }

  /** The current plan. */
  state({ path, identity, blocks }: PlanSubject): PlanState {
    const plan = this.plans.get(path);
    if (plan?.identity !== identity) return { removed: [] };
    const { removed, suggestion } = plan;
    return { removed: removed.filter((block) => block < blocks), ...(suggestion && { suggestion }) };
  }

  /** The blocks to remove, ascending. */
  removed(subject: PlanSubject): readonly number[] {
    return this.state(subject).removed;
  }

  /** How the blocks to remove were chosen. */
  choice(subject: PlanSubject): Choice {
    const { removed, suggestion } = this.state(subject);
    return choiceOf(removed, suggestion);
  }

  /** Sets the plan by hand. The suggestion it started from is kept until the plan is empty. */
  set(subject: PlanSubject, removed: Iterable<number>): void {
    const { suggestion } = this.state(subject);
    this.restore(subject, { removed: [...removed], ...(suggestion && { suggestion }) });
  }

  /** Sets the plan to a suggestion. */
  suggest(subject: PlanSubject, suggestion: Suggestion): void {
    this.restore(subject, { removed: suggestion.blocks, suggestion });
  }

  /** Sets the plan to an earlier one. Drops numbers that are not blocks of the model, and keeps at least one block. */
  restore(subject: PlanSubject, { removed, suggestion }: PlanState): void {
    const { path, identity, blocks } = subject;
    const isBlock = (block: number): boolean => Number.isInteger(block) && block >= 0 && block < blocks;
    const wanted = [...new Set(removed)].filter(isBlock).sort((a, b) => a - b);
    const next = wanted.length < blocks ? wanted : wanted.slice(0, -1);
    const before = this.state(subject);
    if (next.join() === before.removed.join() && sameSuggestion(suggestion, before.suggestion)) return;
    if (next.length === 0) this.plans.delete(path);
    else this.plans.set(path, { identity, removed: next, ...(suggestion && { suggestion }) });
    this.changed.fire(path);
  }

  /** Forgets the plan of a checkpoint that is gone. */
  forget(path: string): void {
    if (!this.plans.delete(path)) return;
    this.changed.fire(path);
  }

  /** Keeps or removes blocks, in addition to the current plan. */
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

/** Reads a stored plan with the files that it was made for. */
function readStored(stored: unknown): StoredPlan | undefined {
  const plan = readPlan(stored);
  const identity = (stored as Partial<StoredPlan> | null)?.identity;
  return plan && typeof identity === 'string' ? { identity, ...plan } : undefined;
}

/** Reads a stored plan; undefined if it is not valid. */
export function readPlan(stored: unknown): PlanState | undefined {
  const plan = stored as Partial<PlanState> | null | undefined;
  if (!Array.isArray(plan?.removed)) return undefined;
  const removed = plan.removed.filter((block): block is number => Number.isInteger(block));
  return { removed, ...(isSuggestion(plan.suggestion) && { suggestion: plan.suggestion }) };
}

const isSuggestion = (stored: Partial<Suggestion> | undefined): stored is Suggestion =>
  typeof stored?.criterion === 'string' && typeof stored.goal === 'object' && Array.isArray(stored.blocks);
