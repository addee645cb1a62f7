/** Asks before a recipe starts programs of others: it may be someone else's. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError } from '../../engine/errors';
import { consumersThere } from '../../engine/verify/consumers/there';
import { inOrder, chosenSteps } from '../../recipes/order';
import type { Programs } from '../../recipes/plan';
import { wantsPrograms } from '../../recipes/programs';
import type { Recipe } from '../../recipes/recipe';

/**
 * @param only the steps that run, with what they need
 * @returns that programs may start; undefined where none is asked for, none is there, or the user wants none
 * @throws CancelledError
 */
export async function askRecipePrograms(recipe: Recipe, only: readonly string[]): Promise<Programs | undefined> {
  const { order } = inOrder(recipe.steps);
  const chosen = chosenSteps(order, only);
  const asking = order.filter((step) => chosen.has(step.name) && wantsPrograms(step));
  const there = asking.length === 0 ? [] : await programsThere();
  if (there.length === 0) return undefined;
  const { t } = vscode.l10n;
  const names = asking.map(({ name }) => name).join(', ');
  const [start, without] = [t('Start Them'), t('Run Without')];
  const detail = [
    ...there,
    t('They open the files that the recipe writes. Nothing beside the recipe or a model is started.'),
  ];
  const chosenAnswer = await vscode.window.showWarningMessage(
    t('{0}: {1} asks to start other programs.', basename(recipe.file), names),
    { modal: true, detail: detail.join('\n') },
    start,
    without,
  );
  if (chosenAnswer === undefined) throw new CancelledError();
  return chosenAnswer === start ? {} : undefined;
}

/** "transformers.js 3.8.1 in /usr/lib/node_modules" */
async function programsThere(): Promise<string[]> {
  const there = [...(await consumersThere('gguf')), ...(await consumersThere('onnx'))];
  return there.map(({ name, version = '', place }) =>
    vscode.l10n.t('{0} in {1}', [name, version].filter(Boolean).join(' '), place),
  );
}
