/** A plan and a run of a recipe as `--json` prints them, and as scripts get them. */
import type { JsonObject } from '../format/json';
import type { OriginalModel } from './original';
import type { LimitName, Variables } from './recipe';
import type { Expected, RecipeEnd, RecipePlan, StepEnd, StepOutput } from './types';

/** What a run of a recipe would do. */
export interface PlanOfRecipe {
  /** The file of the recipe, absolute. */
  readonly recipe: string;
  /** The model, absolute; null if no step needs it. */
  readonly model: string | null;
  /** The folder of the state, the results and the outputs that have no other place. */
  readonly folder: string;
  /** In the order in which they run. */
  readonly steps: readonly PlanOfStep[];
  /** Of all steps that run and whose time is known. */
  readonly expectedSeconds: number;
  /** Steps that run and whose time is not known. */
  readonly unknown: readonly string[];
  /** Steps that ask for other programs, and run without them. */
  readonly withheld: readonly string[];
}

/** What a run would do with a step. */
export interface PlanOfStep {
  readonly name: string;
  /** The name of its command. */
  readonly job: string;
  /** `done`: its result is there. `waits`: only other steps were asked for. */
  readonly state: 'done' | 'run' | 'waits';
  /** Why it runs; null for a step that does not. */
  readonly why: string | null;
  /** How long it is expected to take; null where that is not known. */
  readonly expected: Expected | null;
}

/** The end of a run of a recipe. */
export interface EndOfRecipe {
  /** The file of the recipe, absolute. */
  readonly recipe: string;
  /** The model, absolute; null if no step needs it. */
  readonly model: string | null;
  /** The size of its files, and what it is; absent where it cannot be opened any more. */
  readonly original?: OriginalModel;
  /** The folder of the state, the results and the outputs that have no other place. */
  readonly folder: string;
  readonly quick: boolean;
  /** The variables of this run. */
  readonly variables: Variables;
  readonly steps: readonly EndOfStep[];
  /** Every limit that was judged. */
  readonly limits: readonly {
    readonly step: string;
    readonly limit: LimitName;
    /** The limit; of `minSame` and `minAccuracy` the least. */
    readonly most: number;
    readonly measured: number;
    readonly kept: boolean;
  }[];
  /** `limit`: a limit is broken. `failed`: a step failed. */
  readonly ended: 'done' | 'limit' | 'failed';
  /** Number of steps that ran now. */
  readonly ran: number;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly seconds: number;
  /** Version of Coppice. */
  readonly coppice: string;
}

/** A step at the end of a run. */
export interface EndOfStep {
  readonly name: string;
  /** The name of its command. */
  readonly job: string;
  readonly description?: string;
  /** `done`: it ran now. `kept`: it was done before. `open`: it did not come to it. */
  readonly state: 'done' | 'kept' | 'failed' | 'open';
  /** What the command of its job prints with `--json`. */
  readonly result?: JsonObject;
  /** Why it failed. */
  readonly failure?: { readonly what: string; readonly why: string; readonly action: string };
  /** That it took when it ran. */
  readonly seconds?: number;
  readonly outputs?: readonly StepOutput[];
  /** The file of its record, absolute; null without one. */
  readonly record?: string | null;
  readonly notes?: readonly string[];
  readonly warnings?: readonly string[];
}

export const planOf = ({
  recipe,
  model,
  folder,
  steps,
  expectedSeconds,
  unknown,
  withheld,
}: RecipePlan): PlanOfRecipe => ({
  recipe: recipe.file,
  model: model ?? null,
  folder,
  steps: steps.map(({ step, state, why, expected }) => ({
    name: step.name,
    job: step.job,
    state,
    why: why ?? null,
    expected: expected ?? null,
  })),
  expectedSeconds,
  unknown,
  withheld,
});

/** A step as `endOf` gives it. */
export const endOfStep = ({ finished, ...step }: StepEnd): EndOfStep => ({
  ...step,
  ...(finished && {
    seconds: finished.seconds,
    outputs: finished.outputs,
    record: finished.record,
    notes: finished.notes,
    warnings: finished.warnings,
  }),
});

/** Every number of every step. */
export const endOf = ({ recipe, model, ...end }: RecipeEnd): EndOfRecipe => ({
  ...end,
  recipe: recipe.file,
  model: model ?? null,
  steps: end.steps.map((step) => endOfStep(step)),
});
