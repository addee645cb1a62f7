/**
 * What a sweep leaves for another one over the same rows and steps: the numbers of the whole model, and its hidden states
 * before every step if they fit. So further candidates cost their own variants only.
 */
import { releaseState, retainState, type State } from '../model/states';

/** `T` are the numbers of a model, such as its losses. */
export class SweepMemory<T> {
  private readonly kept: State[] = [];

  /**
   * @param known the whole model's numbers, if they are known already
   * @param keepsStates whether another sweep follows
   */
  constructor(
    private known?: T,
    readonly keepsStates = true,
  ) {}

  /** The whole model's numbers. */
  get full(): T | undefined {
    return this.known;
  }

  /** The whole model's states before step 0, 1, … as far as they are known; the last one may be after all steps. */
  get states(): readonly State[] {
    return this.kept;
  }

  learn(full: T): void {
    this.known ??= full;
  }

  /** Keeps the state that follows the known ones. */
  keep(state: State): void {
    this.kept.push(retainState(state));
  }

  /** Frees the states. */
  forget(): void {
    this.kept.splice(0).forEach(releaseState);
  }
}
