/** Runs a recipe for a command: progress over the whole in the status bar, and the end in a notification. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { DeviceError, UserError } from '../../engine/errors';
import { formatSeconds } from '../../format/durations';
import { capitalized } from '../../format/words';
import { parseRecipe } from '../../recipes/read';
import type { RecipeRequest } from '../../recipes/plan';
import type { RecipeEnd } from '../../recipes/types';
import { showRecipe } from './choose-recipe';
import type { Coppice } from '../coppice';
import { toast } from '../toast';
import { type RecipeRuns, runningLine, type RecipeStart } from './recipe-runs';
import { brokenLimit } from './recipe-words';

/** Shorter runs show no progress. */
const QUIET_MS = 700;

/**
 * Runs a recipe. Its progress is in the status bar, and over its file, where it can be cancelled.
 * @throws UserError for a recipe that cannot begin, and for a step that failed; CancelledError
 */
export async function runWithProgress(
  coppice: Coppice,
  request: RecipeRequest,
  { device, elsewhere }: Pick<RecipeStart, 'device' | 'elsewhere'> = {},
): Promise<RecipeEnd> {
  const { recipes } = coppice;
  const { file } = request.recipe;
  const { signal } = new AbortController(); // it is cancelled by its file
  const options = { signal, ...(device && { device }), ...(elsewhere && { elsewhere }) };
  const running = recipes.run(request, options);
  const settled = running.then(
    () => undefined,
    () => undefined,
  );
  const pause = new Promise<true>((go) => setTimeout(() => go(true), QUIET_MS));
  if (await Promise.race([settled, pause])) showProgress(recipes, file, settled);
  const { end, error } = await running;
  if (end.ended !== 'done') await keepInView(file);
  if (end.ended === 'failed') throw error instanceof Error ? error : new Error(String(error));
  return end;
}

function showProgress(recipes: RecipeRuns, file: string, settled: Promise<undefined>): void {
  const title = vscode.l10n.t('Running {0}', basename(file));
  void vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, async (report) => {
    const show = (): void => {
      const running = recipes.of(file);
      if (running) report.report({ message: runningLine(running) });
    };
    show();
    const listening = recipes.onChange((changed) => changed === file && show());
    await settled;
    listening.dispose();
  });
}

/** A document that VS Code knows has its problems in the list, though no editor shows it. */
async function keepInView(file: string): Promise<void> {
  await vscode.workspace.openTextDocument(vscode.Uri.file(file));
}

/** Tells the end of a run, with a way to its report, or to the limit that it broke. */
export function tellEnd(end: RecipeEnd): void {
  const { t } = vscode.l10n;
  const { file } = end.recipe;
  const openReport = t('Open Report');
  const broken = end.limits.find(({ kept }) => !kept);
  const shown = broken
    ? toast.error(`${basename(file)}: ${brokenLimit(broken)}`, t('Show Step'), openReport)
    : toast.info(endWords(end), openReport);
  // Not awaited: the command ends without waiting for a click.
  void shown.then((chosen) => {
    if (chosen === openReport) void vscode.commands.executeCommand('coppice.openRecipeReport', { recipe: file });
    else if (chosen !== undefined && broken) void showStep(file, broken.step);
  });
}

/** "small.coppice.json: 2 steps ran in 3.2 s; done before: 1." */
function endWords({ recipe, steps, ran, seconds }: RecipeEnd): string {
  const { t } = vscode.l10n;
  const kept = steps.filter(({ state }) => state === 'kept').length;
  const name = basename(recipe.file);
  if (ran === 0) return t('{0}: nothing to do, all {1} steps are done.', name, kept);
  const count = ran === 1 ? t('1 step ran') : t('{0} steps ran', ran);
  return t('{0}: {1} in {2}; done before: {3}.', name, count, formatSeconds(seconds), kept);
}

/** Whether an error of a step is best shown at the step; the others offer another device, or to run again. */
export const isStepsFault = (error: unknown): error is UserError =>
  error instanceof UserError && error.constructor === UserError && !(error instanceof DeviceError);

/** Shows why a step failed, with a way to the step. */
export function tellFailure(file: string, { what, why, action }: UserError): void {
  const showStepLabel = vscode.l10n.t('Show Step');
  const text = `${basename(file)}: ${capitalized(`${what}: ${why}. ${action}`)}`;
  void toast.error(text, showStepLabel).then((chosen) => {
    if (chosen !== undefined) void showStep(file, /“([\w-]+)”/.exec(what)?.[1]);
  });
}

async function showStep(file: string, name: string | undefined): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  const { places } = parseRecipe(document.getText(), file);
  await showRecipe(file, places.find((place) => place.name === name)?.offset);
}
