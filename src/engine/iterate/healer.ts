/** What heals a model in a round. Trainings are in this room; the closed forms are a job of their own. */
import type { JobOptions } from '../progress';
import type { Changes, Model } from '../model/model';
import type { HealingCost } from './result';

/** A pruned model to heal. */
export interface HealTask {
  /** The model with its weights so far. */
  readonly model: Model;
  /** These weights, as changes of the checkpoint's. */
  readonly changes: Changes;
  /** Blocks that are gone, ascending. */
  readonly removed: readonly number[];
  /** Names the files of this task: "2", "one-shot-3". */
  readonly name: string;
  /** How many rounds trained before this one on the same data. */
  readonly before: number;
  /** Trains as long as this many rounds, in one schedule. */
  readonly rounds: number;
  /** The file to write the new weights to; it does not exist. */
  readonly weights: string;
}

export interface HealedTask extends HealingCost {
  /** Whether the file was written. Otherwise the weights are those of `task.changes`, or the checkpoint's. */
  readonly isWritten: boolean;
  /**
   * Whether new weights lie on top of the checkpoint's own and not on those before: a closed form heals the original
   * weights with all blocks gone so far.
   */
  readonly fromOriginal: boolean;
}

export interface RoundHealer {
  /** @throws UserError, CancelledError */
  heal(task: HealTask, job: JobOptions): Promise<HealedTask>;
}

/** Heals nothing: what is left is scored as it is. */
export const NO_HEALER: RoundHealer = {
  heal: () =>
    Promise.resolve({
      trainingSeconds: 0,
      steps: 0,
      trace: [],
      weights: 'plain',
      isWritten: false,
      fromOriginal: false,
    }),
};
