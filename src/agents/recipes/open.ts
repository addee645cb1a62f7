/**
 * A recipe that an agent names: read, planned, and refused where it would leave the folders that are open to agents. A
 * recipe and the state of its last run are files of a repository, so nothing in them is trusted to stay inside.
 */
import { basename } from 'node:path';
import { UserError } from '../../engine/errors';
import { isObject, type JsonObject } from '../../format/json';
import { formatCounted } from '../../format/words';
import { data, file, flag, list, text } from '../../jobs/option';
import type { JsonSchema } from '../../jobs/schema';
import { type OptionPath, pathsIn } from '../../recipes/options';
import { planRecipe, type RecipeRequest, type StepEstimate } from '../../recipes/plan';
import { productOptions } from '../../recipes/outputs';
import { examineRecipe } from '../../recipes/read';
import type { Recipe, Variables } from '../../recipes/recipe';
import { replacedBy } from '../../recipes/replace';
import { Session } from '../../recipes/session';
import { estimatesOf } from '../../recipes/times';
import type { FinishedStep, RecipePlan } from '../../recipes/types';
import { inputSchema, readInput } from '../input';
import { ListedError } from '../naming';
import type { AgentContext, PathGuard } from '../tool';

const options = {
  recipe: file('the recipe: a *.coppice.json file', { required: true }),
  set: data<Variables>('other values for variables of the recipe, by name: {"count": 4}'),
  quick: flag("a quick try: with the recipe's quick values; every output goes into .coppice beside the recipe"),
  step: list(text(''), 'only these steps, and what they need'),
};

const schema = inputSchema(options) as { readonly properties: Readonly<Record<string, JsonSchema>> };

/** The input of both tools. */
export const recipeInput: JsonSchema = {
  ...schema,
  properties: { ...schema.properties, set: { type: 'object', ...schema.properties.set } },
};

/** A recipe with what a run of it would do. */
export interface PlannedRecipe {
  readonly request: RecipeRequest;
  readonly session: Session;
  readonly plan: RecipePlan;
  /** Outputs that are there and that the recipe wrote: a run replaces them. */
  readonly replaced: readonly string[];
  /** Estimates, of steps that stay inside only. */
  readonly estimate: StepEstimate;
}

/**
 * Writes nothing.
 * @param tool its name, for messages
 * @throws UserError for an input or a recipe that cannot be used, and for a path that is not open
 */
export async function plannedRecipe(
  tool: string,
  input: JsonObject,
  { paths, signal, speeds }: Pick<AgentContext, 'paths' | 'signal' | 'speeds'>,
): Promise<PlannedRecipe> {
  const request = await requestOf(tool, input, paths);
  const session = await Session.open(request);
  await checkPlaces(session, paths);
  const estimate = insideOnly(estimatesOf(request, speeds), paths);
  const plan = await planRecipe(request, estimate, { signal });
  return { request, session, estimate, plan, replaced: await replacedIn(plan, session) };
}

async function replacedIn({ steps }: RecipePlan, session: Session): Promise<string[]> {
  const found: string[] = [];
  for (const { step, state } of steps) {
    if (state !== 'run') continue;
    const written = session
      .paths(step)
      .filter(({ option, writes }) => writes && productOptions(step.job).includes(option));
    found.push(
      ...(await replacedBy(
        session,
        step,
        written.map(({ path }) => path),
      )),
    );
  }
  return found;
}

async function requestOf(tool: string, input: JsonObject, paths: PathGuard): Promise<RecipeRequest> {
  const { recipe, set, quick, step } = (await readInput(tool, options, input, paths)) as {
    readonly recipe: string;
    readonly set?: unknown;
    readonly quick?: boolean;
    readonly step?: readonly string[];
  };
  if (set !== undefined && !isObject(set)) {
    throw new UserError(
      '"set" cannot be used',
      'it must be an object of variables',
      'Write {"count": 4}, for example.',
    );
  }
  return {
    recipe: await readAll(recipe),
    ...(set && { set: set as Variables }),
    ...(quick && { quick }),
    ...(step && { only: step }),
  };
}

/** More problems come from one mistake, or are too many to read. */
const MOST_PROBLEMS = 20;

/** @throws UserError with all problems and their lines */
async function readAll(path: string): Promise<Recipe> {
  const { recipe, problems } = await examineRecipe(path);
  if (recipe) return recipe;
  const shown = problems
    .slice(0, MOST_PROBLEMS)
    .map(({ line, what, why, action }) => `line ${line}: ${what}: ${why}. ${action}`);
  const left = problems.length - shown.length;
  throw new ListedError(
    `${basename(path)} cannot be run`,
    `it has ${formatCounted(problems.length, 'problem')}`,
    `Correct ${problems.length === 1 ? 'it' : 'them'} first:`,
    [...shown, ...(left > 0 ? [`and ${left} more`] : [])],
  );
}

/**
 * Checks every path that is known before the recipe runs: of its model, its steps and what they write, and of the state.
 * @throws UserError for one that is not open
 */
async function checkPlaces(session: Session, paths: PathGuard): Promise<void> {
  const { model, folder, state, order } = session;
  if (model !== undefined) await naming('the model', () => paths.read(model));
  for (const place of [folder, ...session.records]) await naming('the state', () => paths.write(place));
  for (const step of order) {
    await naming(`step “${step.name}”`, () => paths.write(session.resultFile(step)));
    await checkAll(step.name, session.paths(step), paths);
    const { result, outputs } = state.finished(step.name) ?? { outputs: [] };
    const kept = [...(result === undefined ? [] : [result]), ...outputs.map(({ path }) => path)];
    for (const path of kept) await naming(`the state of “${step.name}”`, () => paths.write(path));
  }
  for (const { path, aside } of state.running?.asides ?? []) {
    for (const each of [path, aside]) await naming('the state', () => paths.write(each));
  }
}

/** @throws UserError for a path in a step's options that is not open */
export const checkStep = (
  step: Pick<FinishedStep, 'name' | 'job'>,
  given: JsonObject,
  paths: PathGuard,
): Promise<void> => checkAll(step.name, pathsIn(step, given), paths);

async function checkAll(step: string, found: readonly OptionPath[], paths: PathGuard): Promise<void> {
  for (const { option, path, writes } of found) {
    await naming(`step “${step}”, “${option}”`, () => (writes ? paths.write(path) : paths.read(path)));
  }
}

/** An error about a path says where it comes from. */
async function naming(where: string, check: () => Promise<string>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw error.withTexts((each) => (each === error.texts.what ? `${where}: ${each}` : each));
  }
}

/** Estimates read the headers of models: of those that are open only. */
const insideOnly =
  (estimate: StepEstimate, paths: PathGuard): StepEstimate =>
  async ({ before, ...planned }) => {
    if (planned.options) await checkStep(planned.step, planned.options, paths);
    const isOpen = before !== undefined && (await isInside(before, paths));
    return estimate({ ...planned, ...(isOpen && { before }) });
  };

/** The last run may have been by hand, with other files. */
const isInside = (before: FinishedStep, paths: PathGuard): Promise<boolean> =>
  checkStep(before, before.options, paths).then(
    () => true,
    () => false,
  );
