/** Runs a recipe: its steps one after the other, each as a job of the desk's runner. */
import { basename } from 'node:path';
import { messageOf, UserError } from '../../engine/errors';
import { codeSpan, inline } from '../../engine/markdown';
import { l10n } from '../../l10n';
import { expectedSum } from '../../recipes/expected-words';
import { writeReport } from '../../recipes/report/write';
import { type RecipeRun, runRecipe } from '../../recipes/run';
import type { RecipeEnd } from '../../recipes/types';
import { answerText } from '../answer';
import type { Task } from '../desk';
import { jobParts } from '../job-answer';
import { checkStep, type PlannedRecipe, plannedRecipe, recipeInput } from '../recipes/open';
import { endParts, outputsOf, runningSteps } from '../recipes/pages';
import type { AgentContext, AgentTool, Confirmation } from '../tool';

const NAME = 'coppice_run_recipe';

export const runRecipeTool: AgentTool = {
  name: NAME,
  title: () => l10n.t('Run Recipe'),
  description:
    'Runs a recipe (*.coppice.json): those steps that are not done yet, one after the other. A run that was stopped goes ' +
    'on, and a second run does nothing. Sources never change; only what the recipe wrote itself is replaced. Plan it ' +
    'first with coppice_plan_recipe. A long run answers with an id such as recipe-1: coppice_job_status says at which ' +
    'step it is, coppice_job_result returns its end, coppice_cancel_job stops it and keeps the finished steps. Returns ' +
    'what each step found, whether the limits are kept, the outputs and the path of the report. A broken limit ends the ' +
    'run: then say so to the user, and do not use the outputs as if they were good.',
  input: recipeInput,
  effect: 'writes',
  confirmation: async (input, context) => question(await plannedRecipe(NAME, input, context)),
  async run(input, context) {
    const { desk, waitMs, signal, budget } = context;
    const task = taskOf(await plannedRecipe(NAME, input, context), context);
    return answerText(jobParts(await desk.begin(task, waitMs, signal)), budget);
  },
};

/** Nothing is asked where nothing is to be done. */
function question({ plan, session, replaced }: PlannedRecipe): Confirmation | undefined {
  const running = runningSteps(plan);
  if (running.length === 0) return undefined;
  const { recipe, steps, model, folder, unknown, withheld } = plan;
  const time = expectedSum(plan);
  const outputs = outputsOf(plan, session);
  const lines = [
    l10n.t(
      'Runs {0} of {1} steps: {2}.',
      running.length,
      steps.length,
      running.map(({ step }) => step.name).join(', '),
    ),
    ...(model === undefined ? [] : [l10n.t('Reads {0}.', codeSpan(model))]),
    ...outputs.map((path) => l10n.t('Writes {0}.', codeSpan(path))),
    ...replaced.map((path) => l10n.t('Replaces {0}, which this recipe wrote.', codeSpan(path))),
    l10n.t('Writes results, state and report into {0}.', codeSpan(folder)),
    ...(withheld.length === 0
      ? []
      : [
          l10n.t(
            'Other programs (llama.cpp, transformers.js, onnxruntime-genai) are not started, though {0} asks for them.',
            withheld.join(', '),
          ),
        ]),
    ...(time === undefined ? [] : [l10n.t('Expected time: {0}.', time)]),
    ...(unknown.length > 0 ? [l10n.t('The time of these steps is not known: {0}.', unknown.join(', '))] : []),
    replaced.length > 0
      ? l10n.t('The source never changes, and nothing else is replaced.')
      : l10n.t('The source never changes, and nothing is replaced.'),
  ];
  return { title: l10n.t('Run the recipe {0}?', inline(basename(recipe.file))), message: lines.join('\n\n') };
}

/** The run as a task of the desk. It goes on when the call that began it has ended. */
function taskOf({ request, estimate }: PlannedRecipe, { paths, assets }: AgentContext): Task {
  return {
    name: 'recipe',
    title: l10n.t('Recipe'),
    subject: request.recipe.name,
    remains: 'Steps that were done stay done: coppice_run_recipe goes on from there.',
    run: async (runner, options) => {
      const ran = await runRecipe(request, runner, {
        ...options,
        estimate,
        check: (step, given) => checkStep(step, given, paths),
      });
      const report = await reportOf(ran.end, assets);
      if (ran.end.ended === 'failed') throw failure(ran, report);
      return endParts(ran.end, report);
    },
  };
}

/** A report that cannot be written fails no run. */
const reportOf = async (end: RecipeEnd, assets: AgentContext['assets']): Promise<string> => {
  try {
    return await writeReport(end, await assets());
  } catch (error) {
    return `none, it cannot be written (${messageOf(error)})`;
  }
};

/** The error of the step, with what is done. */
function failure({ end, error }: RecipeRun, report: string): unknown {
  if (!(error instanceof UserError)) return error;
  const done = end.steps.filter(({ finished }) => finished).map(({ name }) => name);
  const { action } = error.texts;
  const more = done.length > 0 ? ` These steps are done and stay: ${done.join(', ')}.` : '';
  return error.withTexts((text) => (text === action ? `${text}${more} Report: ${report}` : text));
}
