/** What a recipe is made from. */
import type { Choice } from '../../engine/importance/choice';
import type { ModelSize } from '../../engine/importance/count';
import type { SavedRun } from './runs';

/** The checkpoint that the recipe begins with. */
export interface SavedModel {
  /** Absolute. */
  readonly path: string;
  readonly name: string;
  readonly identity: string;
  /** Number of blocks. */
  readonly blocks: number;
  readonly size: ModelSize;
  /** Whether its weights have types that only GGUF files have: then a plan of it is exported, which keeps them. */
  readonly quantized: boolean;
}

/** The removed blocks as they are in the editor now. */
export interface PresentPlan {
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  readonly choice: Choice;
  /** What the settings keep from suggestions. */
  readonly keepEnds: boolean;
  readonly keep: readonly number[];
}

export interface SaveRequest {
  /** Absolute path of the recipe's file. Paths are written relative to its folder. */
  readonly file: string;
  readonly model: SavedModel;
  readonly plan?: PresentPlan;
  /** All that are known, in any order. */
  readonly runs: readonly SavedRun[];
  /** Ids of the runs that become steps, with what they need; without them, the runs that lead to the plan. */
  readonly chosen?: readonly string[];
  /** The folder of the program, whose name changes with each version: a model in it is found by this version alone. */
  readonly installation?: string;
  /** Paths that are written in place of those that runs read: copies that go with the recipe. Absolute. */
  readonly instead?: ReadonlyMap<string, string>;
}
