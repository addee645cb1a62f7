/** What an agent reads of a recipe: what a run would do, and what one did. */
import { isInside } from '../../engine/files/paths';
import { basename } from 'node:path';
import { formatSeconds } from '../../format/durations';
import { formatBytes } from '../../format/numbers';
import { counted } from '../../format/words';
import type { JsonObject } from '../../format/json';
import { expectedSum, expectedWords } from '../../recipes/expected-words';
import type { Limits } from '../../recipes/recipe';
import type { Session } from '../../recipes/session';
import { titleOf } from '../../recipes/title';
import type { PlannedStep, RecipeEnd, RecipePlan, StepEnd, LimitCheck } from '../../recipes/types';
import { planWords, resultWords, verdictWords } from '../../recipes/words';
import { inLine, type Piece } from '../answer';
import { warningLine } from '../job-answer';
import type { PlannedRecipe } from './open';

/** @param replaced what a run replaces @param results of the steps that are done, by name */
export function planParts(
  { plan, session, replaced }: Pick<PlannedRecipe, 'plan' | 'session' | 'replaced'>,
  results: ReadonlyMap<string, JsonObject>,
): readonly Piece[] {
  const { recipe, model, steps, folder, variables } = plan;
  const limits = limitLines(session);
  const outputs = outputsOf(plan, session);
  return [
    `recipe: ${inLine(titleOf(recipe, variables))} (${inLine(recipe.file)})`,
    ...(model === undefined ? [] : [`model: ${inLine(model)}`]),
    {
      names: ['step', 'job', 'plan', 'expected time'],
      rows: steps.map((each) => [each.step.name, each.step.job, stateWords(each, results), timeWords(each)]),
    },
    `${totalWords(plan)}.`,
    ...(limits.length > 0 ? ['limits, which end the run where they are broken:', ...limits] : []),
    ...withheldLines(plan),
    `writes: ${[...outputs, `state, results and report in ${folder}`].map(inLine).join('; ')}`,
    ...(replaced.length > 0 ? [`replaces, because this recipe wrote them: ${replaced.map(inLine).join('; ')}`] : []),
    runningSteps(plan).length === 0
      ? 'Nothing was written. coppice_run_recipe would only judge the limits and write the report again.'
      : 'Nothing was written. To run it: coppice_run_recipe with the same input.',
  ];
}

const withheldLines = ({ withheld }: RecipePlan): string[] =>
  withheld.length === 0
    ? []
    : [
        `not run: the other programs (llama.cpp, transformers.js, onnxruntime-genai) that ${withheld.join(', ')} asks for. ` +
          'Only the user starts these, with coppice run --consumers.',
      ];

/** The steps that would run. */
export const runningSteps = ({ steps }: RecipePlan): readonly PlannedStep[] =>
  steps.filter(({ state }) => state === 'run');

/** What the steps that run write outside of the folder of the state, as far as it is known before. */
export const outputsOf = (plan: RecipePlan, session: Session): readonly string[] =>
  runningSteps(plan)
    .flatMap(({ step }) => session.paths(step))
    .flatMap(({ path, writes }) => (writes && !isInside(path, plan.folder) ? [path] : []));

function stateWords(planned: PlannedStep, results: ReadonlyMap<string, JsonObject>): string {
  const { state, before, step } = planned;
  const result = results.get(step.name);
  const words = state === 'done' && before && result ? resultWords(before, result) : '';
  return inLine(`${planWords(planned)}${words === '' ? '' : `: ${words}`}`);
}

function timeWords({ state, expected }: PlannedStep): string {
  if (state !== 'run') return '';
  if (!expected) return 'not known';
  return expectedWords(expected);
}

/** "2 of 3 steps to run: about 1:20, and 1 step whose time is not known" */
function totalWords(plan: RecipePlan): string {
  const { steps, unknown } = plan;
  const sum = expectedSum(plan);
  const running = runningSteps(plan).length;
  if (running === 0) return 'Nothing to do';
  const times = [
    ...(sum === undefined ? [] : [sum]),
    ...(unknown.length > 0 ? [`${counted(unknown.length, 'step')} whose time is not known`] : []),
  ];
  return `${running} of ${counted(steps.length, 'step')} to run: ${times.join(', and ')}`;
}

/** Limits with their values, as far as they are known. */
function limitLines(session: Session): string[] {
  const line = (where: string, limits: Limits): string[] => {
    const each = Object.entries(limits).map(([name, value]) => `${name} ${known(session, value)}`);
    return each.length === 0 ? [] : [`- ${where}: ${inLine(each.join(', '))}`];
  };
  return [
    ...line('the last step that measures it', session.recipe.limits),
    ...session.order.flatMap(({ name, limits }) => line(name, limits)),
  ];
}

/** As it is written where a step has to find it first. */
function known(session: Session, value: string | number): string {
  const found = session.value(value) ?? value;
  return typeof found === 'string' ? found : JSON.stringify(found);
}

/** @param report its path, or why there is none */
export function endParts(end: RecipeEnd, report: string): readonly Piece[] {
  const { steps, ran, ended, seconds, recipe } = end;
  const kept = steps.filter(({ state }) => state === 'kept').length;
  const broken = end.limits.filter((verdict) => !verdict.kept);
  const name = inLine(basename(recipe.file));
  const how = ended === 'limit' ? 'ended, because a LIMIT IS BROKEN' : ran === 0 ? 'nothing to do' : 'done';
  return [
    `${name}: ${how}. ${counted(ran, 'step')} ran in ${formatSeconds(seconds)}; done before: ${kept}.`,
    ...brokenLines(end, broken),
    { names: ['step', 'result', 'time'], rows: steps.map(stepRow) },
    ...end.limits.map((verdict) => `limit of ${verdict.step}: ${verdictWords(verdict)}: ${verdictWord(verdict)}`),
    ...steps.flatMap(({ finished }) =>
      (finished?.outputs ?? []).map(
        ({ path, bytes }) => `output of ${finished!.name}: ${inLine(path)} (${formatBytes(bytes)})`,
      ),
    ),
    ...steps.flatMap(({ finished }) => (finished?.warnings ?? []).map((text) => inLine(warningLine(text)))),
    `report: ${inLine(report)}`,
  ];
}

const verdictWord = ({ kept }: LimitCheck): string => (kept ? 'kept' : 'BROKEN');

/** What a broken limit means, and what to do. */
function brokenLines({ steps }: RecipeEnd, broken: readonly LimitCheck[]): string[] {
  if (broken.length === 0) return [];
  const open = steps.filter(({ state }) => state === 'open').map(({ name }) => name);
  return [
    ...broken.map((verdict) => `Broken: ${verdict.step} has ${verdictWords(verdict)}.`),
    ...(open.length > 0 ? [`What follows did not run: ${open.join(', ')}.`] : []),
    'Outputs of steps that are done are there, but they are not what the recipe promises. Tell the user. Then change the ' +
      'recipe (remove less, heal, another criterion or calibration), or the limit if the user agrees, and run it again: ' +
      'only what changed runs.',
  ];
}

function stepRow({ name, state, finished, result }: StepEnd): string[] {
  if (!finished || !result) return [name, state === 'open' ? 'did not run' : state, ''];
  const time = state === 'kept' ? 'done before' : formatSeconds(finished.seconds);
  return [name, inLine(resultWords(finished, result)), time];
}
