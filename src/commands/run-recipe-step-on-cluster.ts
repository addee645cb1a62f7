/** Run Recipe Step on Cluster…: a cluster computes the parts of a step; what it needs runs here before it. */
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import { askParts } from '../host/cluster/ask-parts';
import { chooseRecipe, openRecipe } from '../host/recipes/choose-recipe';
import { requireCluster } from '../state/cluster-settings';
import type { Command } from '../host/command';
import type { StepElsewhere } from '../host/recipes/recipe-runs';
import { isCutAlone } from '../jobs/parts/part-record';
import { askStep, run, type RunRecipeArguments } from './run-recipe';

export interface RunStepOnClusterArguments extends RunRecipeArguments {
  readonly parts?: number;
}

export const runRecipeStepOnClusterCommand: Command<RunStepOnClusterArguments> = {
  id: 'coppice.runRecipeStepOnCluster',
  needsTrust: true,
  async run(coppice, args, settle) {
    const { cluster, config } = coppice;
    const title = vscode.l10n.t('Run Recipe Step on Cluster');
    const settings = requireCluster(config.cluster);
    const recipe = await chooseRecipe(args, title);
    const step = args.step ?? (await askStep(recipe, title, ({ job }) => isCutAlone(job)));
    await requireCuttable(recipe, step);
    const parts = args.parts ?? (await askParts(settings, undefined, title, coppice.speeds));
    const elsewhere: StepElsewhere = {
      step,
      run: (spec, { signal, onProgress }) =>
        cluster.run(spec, { settings, parts, step: { recipe, step } }, { signal, onProgress }),
    };
    const complete: RunStepOnClusterArguments = { ...args, recipe, step, parts };
    return run(coppice, complete, title, settle, elsewhere);
  },
};

/** @throws UserError before anything runs, for a step whose work cannot be cut */
async function requireCuttable(file: string, name: string): Promise<void> {
  const step = (await openRecipe(file)).steps.find((each) => each.name === name);
  if (!step || isCutAlone(step.job)) return; // a step that is missing is the recipe's fault
  throw new UserError(
    vscode.l10n.t('The step “{0}” cannot run on a cluster', name),
    vscode.l10n.t('the work of “{0}” cannot be cut into parts', step.job),
    vscode.l10n.t('Run it on this machine.'),
  );
}
