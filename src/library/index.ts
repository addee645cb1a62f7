/**
 * Coppice for scripts: a function for every job of the command line. Each takes the options of its command, named as in the
 * record of a run, and returns what the command prints with `--json`. The numbers are the same.
 *
 * @packageDocumentation
 */
export { CancelledError, DeviceError, LimitError, UserError } from '../engine/errors';
export type { Summary as CheckpointSummary } from '../engine/checkpoint/summary';
export type { Progress } from '../engine/progress';
export type { LabelledModel } from '../jobs/option';
export type { JsonSchema } from '../jobs/schema';
export { type JobName, schemaOf, toJson, version } from './describe';
export { inspect } from './inspect';
export { experts, exportModel, heal, iterate, merge, prune, retrain, vocabulary, width } from './make';
export { bench, curve, draft, evaluate, frontier, generate, grid, score, tasks, verify, versus } from './measure';
export {
  gather,
  type GatheredParts,
  type GatherOptions,
  type MeasuredPart,
  type PartableOptions,
  type PartRunOptions,
  runPart,
} from './parts';
export { planRecipe, type RecipeOptions, type RecipeRunOptions, runRecipe } from './recipe';
export type { EndOfRecipe, EndOfStep, PlanOfRecipe, PlanOfStep } from '../recipes/json';
export type * from './options';
export type * from './results';
export type { RunOptions } from './run';
