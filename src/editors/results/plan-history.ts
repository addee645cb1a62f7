/** Undo and redo of a plan, whoever changed it: chart, tree or command. */

const MOST = 100;

export class PlanHistory {
  private past: (readonly number[])[] = [];
  private future: (readonly number[])[] = [];

  constructor(private current: readonly number[]) {}

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Notes what the plan is now; nothing happens when it is what it was. */
  note(removed: readonly number[]): void {
    if (removed.join() === this.current.join()) return;
    this.past = [...this.past, this.current].slice(-MOST);
    this.future = [];
    this.current = removed;
  }

  /** @returns the plan before, undefined when there is none */
  undo(): readonly number[] | undefined {
    return this.move(this.past, this.future);
  }

  /** @returns the plan that was undone last, undefined when there is none */
  redo(): readonly number[] | undefined {
    return this.move(this.future, this.past);
  }

  private move(from: (readonly number[])[], to: (readonly number[])[]): readonly number[] | undefined {
    const next = from.pop();
    if (!next) return undefined;
    to.push(this.current);
    this.current = next;
    return next;
  }
}
