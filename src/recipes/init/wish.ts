/** What a new recipe is asked for, and what is drafted. Types alone. */
import type { MachineSpeeds } from '../../estimates/machine';
import type { GivenFor } from '../../jobs/kinds';
import type { JobRunner } from '../../jobs/runner';
import type { ExportFormat } from '../../engine/write/formats';

/** How much shorter, smaller or faster the model is to become. */
export type Goal =
  /** This share of the blocks fewer, such as 0.25. */
  | { readonly kind: 'fewer'; readonly share: number }
  /** The exported files have at most this many bytes. */
  | { readonly kind: 'fit'; readonly bytes: number }
  /** This many times as fast at writing, such as 1.5. */
  | { readonly kind: 'faster'; readonly factor: number }
  /** At least as fast at writing as this other checkpoint. */
  | { readonly kind: 'as-fast-as'; readonly checkpoint: string };

export const USUAL_GOAL: Goal = { kind: 'fewer', share: 0.25 };

/** A vocabulary that is trimmed, counted once so that sizes are known. */
export interface TrimmedWish {
  /** Texts of the application. */
  readonly texts: readonly string[];
  /** The model as the step will write it; undefined where only its tokens were counted, so that sizes are about right. */
  readonly checkpoint?: string;
  readonly kept: number;
  readonly size: number;
  /** Tokens of a text that was not counted, over those before; undefined where none was held out. */
  readonly growth?: number;
  /** Other options of the step. */
  readonly options?: TrimmedOptions;
}

export type TrimmedOptions = Partial<
  Pick<
    GivenFor<'vocabulary'>,
    'heldOut' | 'min' | 'keep' | 'keepLanguages' | 'multiple' | 'maxBitsGrowth' | 'maxGrowth'
  >
>;

export interface RecipeWish {
  /** Where the recipe will be: relative paths in it start at its folder. */
  readonly file: string;
  /** A quarter fewer blocks without one. */
  readonly goal?: Goal;
  /** GGUF without one, where the model can be written so, else safetensors. */
  readonly format?: ExportFormat;
  /** The only type of the exported weights that comes into question, such as "q8_0". */
  readonly type?: string;
  /** What the application reads and writes, in place of all other texts: each step has its own rows of it. */
  readonly application?: string;
  /** Text that blocks are scored on. Without one, a text near the recipe or the model. */
  readonly calibration?: string;
  /** Text that quality is measured on. Without one, a text near the recipe or the model. */
  readonly text?: string;
  /** Folder with the files of the tasks. */
  readonly tasks?: string;
  /** Data for training. */
  readonly data?: string;
  /**
   * Train, taught by the original, for as long as lets choosing, healing and training take about so many minutes on this machine; on
   * text that the original writes, where there are no data.
   */
  readonly minutes?: number;
  /** Trim the vocabulary first, to what texts need. */
  readonly trimmed?: TrimmedWish;
  /** What is known of this machine's speeds, and what runs a short training of the model to know more; for `minutes`. */
  readonly timing?: { readonly speeds: MachineSpeeds; readonly run?: JobRunner };
}

export interface DraftedRecipe {
  /** JSON with comments, which `parseRecipe` accepts. */
  readonly text: string;
  readonly goal: Goal;
  readonly format: ExportFormat;
  /** The type of the exported weights; null where each keeps its own. */
  readonly type: string | null;
  /** Blocks that are removed, and blocks of the whole model. */
  readonly removes: number;
  readonly blocks: number;
  /** Of the exported files, about; the exact size depends on which blocks go, where they differ. */
  readonly expectedBytes: number;
  /** Of the model's files now. */
  readonly modelBytes: number;
  /** What was decided and why. */
  readonly notes: readonly string[];
  /** What the user should change. */
  readonly warnings: readonly string[];
}
