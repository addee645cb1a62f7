/** What a run of a recipe would do: what is there already, what runs and why, and how long that is expected to take. */
import type { JobOptions } from '../engine/progress';
import type { Json, Recipe } from './recipe';
import type { Expected, FinishedStep, PlannedStep, RecipePlan } from './types';

/** How a recipe is run. */
export interface RecipeRequest {
  readonly recipe: Recipe;
  /** Another model than the recipe's: a path that starts at the current folder. */
  readonly model?: string;
  /** Values in place of those of the recipe's variables. */
  readonly set?: Readonly<Record<string, Json>>;
  /** With the values of `quick`; then every output goes to the folder of the state. */
  readonly quick?: boolean;
  /** Only these steps and what they need; all without them. */
  readonly only?: readonly string[];
  /** Folder of the state; `.coppice/NAME` beside the recipe without it. */
  readonly folder?: string;
}

/** Estimates the time of a step whose options are known. Undefined where nothing is known of its time. */
export type StepEstimate = (step: PlannedStep & { readonly before?: FinishedStep }) => Promise<Expected | undefined>;

/** @throws UserError for an input that is missing, or an unknown step or variable */
export type PlanRecipe = (request: RecipeRequest, estimate?: StepEstimate, job?: JobOptions) => Promise<RecipePlan>;
