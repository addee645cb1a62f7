/** What a plan and a run of a recipe are: what the terminal prints, `--json` gives, the editor shows and the report tells. */
import type { JsonObject } from '../format/json';
import type { Kind } from '../jobs/kinds';
import type { OriginalModel } from './original';
import type { LimitName, Recipe, RecipeStep, Variables } from './recipe';

/** How long something is expected to take. */
export interface Expected {
  readonly seconds: number;
  /** Known from an earlier run of the same step, from a measured speed of this machine, or guessed. */
  readonly from: 'before' | 'speed' | 'guess';
  /** Memory at the peak; absent where that is not known. */
  readonly memoryBytes?: number;
}

/** A file or folder that a step wrote. */
export interface StepOutput {
  /** The option that names it: "out". */
  readonly option: string;
  /** Absolute. */
  readonly path: string;
  /** Of all files. */
  readonly bytes: number;
  /** SHA-256 over the names and contents of all files. */
  readonly digest: string;
}

/** A step that ran to its end, as the state keeps it. */
export interface FinishedStep {
  readonly name: string;
  readonly job: Kind;
  /** Digest of inputs, options and version: the same key has the same result. */
  readonly key: string;
  /** Of this run of the step; what follows depends on it. */
  readonly run: string;
  /** With all values in place and paths absolute. */
  readonly options: JsonObject;
  readonly outputs: readonly StepOutput[];
  /** Proofs that Coppice wrote these outputs on this machine, in their order. */
  readonly seals?: readonly string[];
  /** The file of its result, absolute. */
  readonly result: string;
  /** SHA-256 of that file. */
  readonly resultSha256: string;
  /** The file of its record, absolute; null without one. */
  readonly record: string | null;
  readonly device: string | null;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  readonly coppice: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly seconds: number;
}

export interface PlannedStep {
  readonly step: RecipeStep;
  /** `done`: its result is there. `waits`: only other steps were asked for. */
  readonly state: 'done' | 'run' | 'waits';
  /** Why it runs: "it has not run yet", "`scores` runs again". */
  readonly why?: string;
  /** The last time it ran, also if it must run again. */
  readonly before?: FinishedStep;
  /** With the values that are known now; undefined where a step before it has to run first. */
  readonly options?: JsonObject;
  /** Of a step that runs. */
  readonly expected?: Expected;
}

export interface RecipePlan {
  readonly recipe: Recipe;
  /** Absolute path of the model; undefined if no step needs it. */
  readonly model?: string;
  /** The folder of the state, the results and the outputs that have no other place. */
  readonly folder: string;
  /** The values of this run, those given with `--set` among them. */
  readonly variables: Variables;
  /** In the order in which they run. */
  readonly steps: readonly PlannedStep[];
  /** Of all steps that run and whose time is known. */
  readonly expectedSeconds: number;
  /** Steps that run and whose time is not known. */
  readonly unknown: readonly string[];
  /** Steps that run and ask for other programs, and get none. */
  readonly withheld: readonly string[];
}

/** A limit and what was measured. */
export interface LimitCheck {
  readonly step: string;
  readonly limit: LimitName;
  readonly most: number;
  readonly measured: number;
  readonly kept: boolean;
}

export interface StepEnd {
  readonly name: string;
  readonly job: Kind;
  readonly description?: string;
  /** `done`: it ran now. `kept`: it was done before. `failed`; `open`: it did not come to it. */
  readonly state: 'done' | 'kept' | 'failed' | 'open';
  /** Of a step that is done or kept. */
  readonly finished?: FinishedStep;
  /** The same result as `--json` of its job prints. */
  readonly result?: JsonObject;
  /** Why it failed. */
  readonly failure?: { readonly what: string; readonly why: string; readonly action: string };
}

/** The end of a run, also of one that failed. */
export interface RecipeEnd {
  readonly recipe: Recipe;
  readonly model?: string;
  /** The model as its files are; undefined where it cannot be opened any more. */
  readonly original?: OriginalModel;
  readonly folder: string;
  readonly quick: boolean;
  /** The values of this run, those given with `--set` among them. */
  readonly variables: Variables;
  readonly steps: readonly StepEnd[];
  readonly limits: readonly LimitCheck[];
  /** `limit`: a limit is broken; `failed`: a step failed. */
  readonly ended: 'done' | 'limit' | 'failed';
  /** Steps that ran now. */
  readonly ran: number;
  readonly started: string;
  readonly seconds: number;
  readonly coppice: string;
}

/** What a run tells while it goes on. */
export type RecipeEvent =
  | { readonly type: 'plan'; readonly plan: RecipePlan }
  | { readonly type: 'start'; readonly step: string; readonly at: number; readonly of: number }
  | { readonly type: 'end'; readonly end: StepEnd }
  | { readonly type: 'limit'; readonly verdict: LimitCheck };
