/**
 * The way from a model to one that ships, as tree and panel show it: the goal, the steps with one that comes next, and
 * whether the model meets the goal. Types alone.
 */
import type { ExportFormat } from '../engine/write/formats';
import type { JsonNumber } from '../format/json';

/** What a model must be to ship. Every limit is optional. */
export interface ShipGoal {
  /** What the application loads. */
  readonly format: ExportFormat;
  /** Type of its weights; undefined keeps every weight's type. */
  readonly type?: string;
  /** Bytes of all exported files together. */
  readonly maxBytes?: number;
  /** Perplexity relative to the original model on the same text, such as 1.3. */
  readonly maxRatio?: number;
  /**
   * How much more of its texts than of the original's may repeat what they have already: 0.1 is 10 points. Without it such
   * texts are told beside the verdict.
   */
  readonly maxRepetition?: number;
  /** The least share of tokens that the model and the original both find most likely. */
  readonly minSame?: number;
  /** How much less than the original it may score in a probe that the original can do: 0.1 is 10 points. */
  readonly maxProbeLoss?: number;
}

/** In this order. */
export const STEPS = ['score', 'plan', 'prune', 'retrain', 'export', 'compare'] as const;
export type StepName = (typeof STEPS)[number];

export interface JourneyStep {
  readonly name: StepName;
  /** `unneeded`: the goal is met without it. `skipped`: the user left it out. */
  readonly state: 'done' | 'next' | 'later' | 'unneeded' | 'skipped';
}

/** The commands that the panel starts. */
export type StartAction =
  | 'score'
  | 'suggest'
  | 'prune'
  | 'heal'
  | 'retrain'
  | 'merge'
  | 'export'
  | 'compare'
  | 'judge'
  | 'beforeAfter'
  | 'code'
  | 'goal'
  | 'tasks'
  | 'iterate'
  | 'versus'
  | 'frontier'
  | 'vocabulary'
  | 'draft';

/** The one primary action. `open` goes on with another model of the family. */
export type NextAction =
  | {
      readonly action: StartAction;
      readonly adapter?: string;
      /** An export of a plan that copies what stays of a quantized GGUF file. */
      readonly keepsTypes?: true;
    }
  | { readonly action: 'open'; readonly path: string; readonly name: string };

/** A number beside its limit. */
export interface Judged<T> {
  readonly value: T | null;
  readonly limit: number | null;
  /** Null where the value or the limit is unknown. */
  readonly met: boolean | null;
}

export interface Verdict {
  /** Every limit is met: yes; one is not: no; otherwise unknown. Without limits it is unknown too. */
  readonly meets: 'yes' | 'no' | 'unknown';
  /** The numbers are those of a plan: nothing is written. Only its size and its perplexity are judged. */
  readonly planned: boolean;
  /** Bytes of the export in the goal's format, of the plan where there is one. */
  readonly bytes: Judged<number>;
  /** Perplexity relative to the original. */
  readonly ratio: Judged<JsonNumber>;
  /** The vocabularies differ: the perplexity is that of a token of the original, found by bits per byte of the text. */
  readonly byBits: boolean;
  /** The perplexity is of a text that chose the blocks or fitted the weights: within its limit it decides nothing. */
  readonly flatters: boolean;
  /** How much more of its texts than of the original's repeats what they have already. */
  readonly repetition: Judged<number>;
  /** Its texts repeat themselves where the original's do not, and no limit says how much they may. */
  readonly repeats: boolean;
  /** Share of tokens that both find most likely; the limit is the least. */
  readonly same: Judged<number>;
  /** The most that it scores less than the original in a probe. */
  readonly probeLoss: Judged<number>;
}

/** The other goal: the same text, faster, for which no block is removed. What the newest forecast of drafts came to. */
export interface Faster {
  readonly state: 'unknown' | 'pays' | 'written' | 'refused';
  /** By the forecast; null where it knows no cost. */
  readonly speedup: number | null;
  /** The program that would run both, as its own pages write it; empty before any forecast. */
  readonly program: string;
  /** Id of the forecast, where the runs have one. */
  readonly run?: string;
}

export interface Journey {
  readonly goal: ShipGoal | null;
  /** In place of a goal; undefined otherwise. */
  readonly faster?: Faster;
  readonly steps: readonly JourneyStep[];
  readonly next: NextAction;
  /** The next step can be left out: the message `journey/skip` does that. */
  readonly skippable: boolean;
  /** What was skipped and would still help, because the goal is missed without it: offered beside the next step. */
  readonly instead: StartAction | null;
  /** The verdict waits for a perplexity on another text, which `judge` measures. */
  readonly judgeable: boolean;
  readonly verdict: Verdict;
}
