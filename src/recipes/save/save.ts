/**
 * Makes a recipe from runs: what was clicked together becomes a file that makes the same again. Links between steps are
 * found by what runs read and wrote; what a step gave then, and what cannot be carried over, are comments.
 */
import { UserError } from '../../engine/errors';
import { runTitle } from '../../engine/records/compare';
import { digestRecord } from '../../jobs/digest/digest';
import { parseJsonNumber } from '../../format/json';
import { JOBS } from '../../jobs/definitions';
import { chosenRuns } from './choose';
import { OuterPath, tokensIn } from './draft';
import { type DraftStep, StepMaker } from './maker';
import { recipeText } from './recipe-text';
import type { SaveRequest } from './request';
import { isOnModel, type SavedRun, sameParts, type StepRun, stepRun } from './runs';

export interface SavedRecipe {
  readonly text: string;
  /** Names of the steps, in order. */
  readonly steps: readonly string[];
  /** Ids of the runs behind them. */
  readonly runs: readonly string[];
  /** Absolute paths of the files that steps read and none writes. */
  readonly reads: readonly string[];
  /** Runs that no step repeats, in words. */
  readonly left: readonly string[];
  /** The model that the last of these runs wrote; undefined if none did. */
  readonly gives: { readonly path: string; readonly bytes?: number } | undefined;
}

/** @throws UserError when nothing can be made into a step */
export function recipeOf(request: SaveRequest): SavedRecipe {
  const runs = request.runs
    .map(stepRun)
    .filter((run): run is StepRun => run !== undefined)
    .sort((a, b) => a.record.started.localeCompare(b.record.started));
  const chosen = chosenRuns(request, runs);
  const maker = new StepMaker(request, runs, chosen);
  for (const run of chosen) maker.stepOf(run);
  // A plan that nothing was done with yet is a step all the same.
  const { plan } = request;
  if (request.chosen === undefined && plan && plan.removed.length > 0) maker.planned(plan.removed);
  const left = leftOut(request, runs).map(wordsOf);
  if (maker.steps.length === 0) throw nothingToSave(left);
  return {
    text: recipeText(request, maker.steps, left),
    steps: maker.steps.map(({ name }) => name),
    runs: maker.ids,
    reads: readsOf(maker.steps),
    left,
    gives: lastModel(runs.filter(({ id }) => maker.ids.includes(id))),
  };
}

/** Runs of a healing do not say how large the model is. */
function lastModel(runs: readonly StepRun[]): SavedRecipe['gives'] {
  const last = runs.findLast(
    ({ kind, options, writes }) => writes.out !== undefined && JOBS[kind].makes?.(options) === true,
  );
  if (last === undefined) return undefined;
  const { bytes, bytesAfter } = last.record.results;
  return { path: last.writes.out, bytes: parseJsonNumber(bytes ?? bytesAfter) };
}

const readsOf = (steps: readonly DraftStep[]): string[] => [
  ...new Set(
    steps
      .flatMap(({ options }) => tokensIn(options))
      .flatMap((token) => (token instanceof OuterPath ? [token.path] : [])),
  ),
];

/** Runs that were asked for, or are about the plan, and that no step repeats. */
function leftOut({ runs, chosen, plan, model }: SaveRequest, steps: readonly StepRun[]): SavedRun[] {
  const others = runs.filter(({ id }) => !steps.some((step) => step.id === id));
  if (chosen !== undefined) return others.filter(({ id }) => chosen.includes(id));
  const removed = plan?.removed ?? [];
  return others.filter((run) => {
    const digest = digestRecord(run.record);
    const columns = digest.cost?.map(({ of }) => of?.removed ?? []) ?? [];
    return isOnModel(run, model.identity) && [digest.removed, ...columns].some((each) => sameParts(each, removed));
  });
}

function wordsOf({ record }: SavedRun): string {
  const why =
    record.options === undefined
      ? 'its record does not have the options of the run'
      : 'only the editor runs such a job';
  return `${runTitle(digestRecord(record))}, ${record.started.slice(0, 10)}: ${why}`;
}

const nothingToSave = (left: readonly string[]): UserError =>
  new UserError(
    'There is nothing to save as a recipe',
    left.length === 0 ? 'no run leads to a plan, and no run was chosen' : `no step repeats ${left.join('; ')}`,
    'Score blocks, plan what to remove, or choose other runs.',
  );
