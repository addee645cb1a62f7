/** Recipes for scripts: what a file would do, and doing it. */
import { UserError } from '../engine/errors';
import type { Progress } from '../engine/progress';
import { learning } from '../estimates/learn';
import { openSpeeds } from '../estimates/measure-rates';
import { inThisProcess } from '../jobs/run-spec';
import { sharing } from '../sharing/claims';
import { endOf, endOfStep, type EndOfRecipe, type EndOfStep, planOf, type PlanOfRecipe } from '../recipes/json';
import { planRecipe as plan, type RecipeRequest } from '../recipes/plan';
import { readRecipe } from '../recipes/read';
import type { Variables } from '../recipes/recipe';
import { runRecipe as runSteps } from '../recipes/run';
import { estimatesOf } from '../recipes/times';
import { requireAround, requireObject, requirePath, requireTexts } from './given';
import { scriptText } from './naming';
import { failureOf } from './run';

/** What a recipe is run with. */
export interface RecipeOptions {
  /** File of the recipe, `*.coppice.json`. */
  readonly recipe: string;
  /** Another model than the recipe's, with a state of its own. */
  readonly model?: string;
  /** Values in place of those of the recipe's variables. */
  readonly set?: Variables;
  /** With the recipe's quick values; then every output goes to the folder of the state. */
  readonly quick?: boolean;
  /** Only these steps and what they need. */
  readonly steps?: readonly string[];
  /** Folder of the state: new, empty, or of this recipe; `.coppice/NAME` beside the recipe without it. */
  readonly folder?: string;
  /** Steps that ask for it may start other programs, which may come from the folder `from` too. Without it none starts. */
  readonly programs?: { readonly from?: string };
}

/** What goes with a run of a recipe. */
export interface RecipeRunOptions {
  /** Aborting it ends the run with a `CancelledError`. What is finished is kept. */
  readonly signal?: AbortSignal;
  /** Called with the work done of the whole run. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called when a step has ended, or was done before. */
  readonly onStep?: (step: EndOfStep) => void;
}

/**
 * Says what a run of a recipe would do: what is there already, what runs and why, and how long that is expected to
 * take. Writes nothing. As `coppice run --dry-run`.
 * @returns every step, in the order in which they run
 * @throws UserError for a recipe or an input that cannot be used
 * @example
 * ```ts
 * import { planRecipe } from 'coppice';
 *
 * const { steps, expectedSeconds } = await planRecipe({ recipe: 'model.coppice.json' });
 * for (const { name, state, why } of steps) console.log(name, state, why ?? '');
 * console.log(`about ${Math.round(expectedSeconds)} s`);
 * ```
 */
export async function planRecipe(options: RecipeOptions, around: RecipeRunOptions = {}): Promise<PlanOfRecipe> {
  requireRecipe(options, around);
  try {
    const request = await requestOf(options);
    return planOf(await plan(request, estimatesOf(request, await openSpeeds()), jobOf(around)));
  } catch (error) {
    throw failureOf(error, around.signal);
  }
}

/**
 * Runs the steps of a recipe whose results are not there, one after the other. A run that was stopped goes on, and
 * nothing finished is repeated. As `coppice run`, without its report.
 * @returns every step with its result; `ended` says whether a limit is broken or a step failed
 * @throws UserError before the first step, for a recipe or an input that cannot be used; CancelledError
 * @example
 * ```ts
 * import { runRecipe } from 'coppice';
 *
 * const { ended, steps, limits } = await runRecipe(
 *   { recipe: 'model.coppice.json', set: { count: 4 } },
 *   { onStep: ({ name, state }) => console.log(name, state) },
 * );
 * if (ended !== 'done') console.error(steps.find(({ failure }) => failure)?.failure ?? limits.filter(({ kept }) => !kept));
 * ```
 */
export async function runRecipe(options: RecipeOptions, around: RecipeRunOptions = {}): Promise<EndOfRecipe> {
  requireRecipe(options, around);
  try {
    const request = await requestOf(options);
    const speeds = await openSpeeds();
    const running = runSteps(request, sharing(learning(inThisProcess(), speeds)), {
      ...jobOf(around),
      estimate: estimatesOf(request, speeds),
      onEvent: (event) => {
        if (event.type === 'end') around.onStep?.(inScript(endOfStep(event.end)));
      },
    });
    const { end, error } = await running;
    const json = endOf(end);
    return { ...json, steps: json.steps.map((step) => inScript(step, failureOf(error))) };
  } catch (error) {
    throw failureOf(error, around.signal);
  }
}

/** @throws UserError */
function requireRecipe(options: RecipeOptions, around: RecipeRunOptions): void {
  requireObject(options, 'The options', "{ recipe: 'model.coppice.json' }");
  requireAround(around);
  const { recipe, model, set, steps, folder, programs } = options;
  requirePath(recipe, 'The recipe');
  if (model !== undefined) requirePath(model, 'The model');
  if (folder !== undefined) requirePath(folder, 'The folder');
  if (set !== undefined) requireObject(set, 'set', '{ count: 4 }');
  if (steps !== undefined) requireTexts(steps, 'steps');
  if (programs === undefined) return;
  requireObject(programs, 'programs', "{ from: '/opt/programs' }");
  if (programs.from !== undefined) requirePath(programs.from, 'programs.from');
}

async function requestOf({ recipe, steps, ...others }: RecipeOptions): Promise<RecipeRequest> {
  return { ...others, recipe: await readRecipe(recipe), ...(steps && { only: steps }) };
}

const jobOf = ({ signal, onProgress }: RecipeRunOptions): Pick<RecipeRunOptions, 'signal' | 'onProgress'> => ({
  signal,
  onProgress,
});

/** The step in the words of scripts. @param error of the step that failed */
function inScript(step: EndOfStep, error?: unknown): EndOfStep {
  const { notes, warnings, failure } = step;
  return {
    ...step,
    ...(notes && { notes: notes.map(scriptText) }),
    ...(warnings && { warnings: warnings.map(scriptText) }),
    ...(failure &&
      error instanceof UserError && { failure: { what: error.what, why: error.why, action: error.action } }),
  };
}
