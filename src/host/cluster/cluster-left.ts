/** Runs on the cluster that went on while no window of this workspace was open. */
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { runFile } from '../../cluster/folder';
import type { Coppice } from '../coppice';

/** Watches them again, or shows what they brought. */
export function watchLeftRuns({ cluster, log }: Pick<Coppice, 'cluster' | 'log'>): void {
  for (const { folder, parts, step, failed } of cluster.left) {
    if (failed) continue; // the user knows
    // The shared folder may come back: the run stays in the list.
    if (!existsSync(runFile(folder))) log.warn(`The run in ${folder} cannot be found`);
    else if (!step) void vscode.commands.executeCommand('coppice.runOnCluster', { folder, looks: true });
    else if (existsSync(step.recipe))
      void vscode.commands.executeCommand('coppice.runRecipeStepOnCluster', { ...step, parts });
  }
}
