/** Export Plan for mergekit or llama.cpp…: opens the plan as a recipe for other tools. */
import * as vscode from 'vscode';
import { slicesOf } from '../format/ranges';
import { UserError } from '../engine/errors';
import {
  ggufOf,
  mergekitRecipe,
  pruneLayersCommand,
  requireKnownToMergekit,
  requireKnownToOthers,
} from '../engine/write/recipes';
import { planEffect } from '../jobs/plan-effect';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import { askAll, pick, type Step } from '../host/ask/steps';

export interface ExportArguments extends CommonArguments {
  readonly format?: 'mergekit' | 'llama.cpp';
}

export const exportPlanCommand: Command<ExportArguments> = {
  id: 'coppice.exportPlan',
  async run(coppice, args) {
    const title = vscode.l10n.t('Export Plan for mergekit or llama.cpp');
    const { path, checkpoint, subject } = await chooseCheckpoint(coppice, args, title, { needs: 'plan' });
    const removed = coppice.plans.removed(subject);
    if (removed.length === 0) {
      throw new UserError(
        vscode.l10n.t('No plan to export'),
        vscode.l10n.t('all blocks are kept'),
        vscode.l10n.t('Clear the checkboxes of blocks in the Checkpoints view first.'),
      );
    }
    const gguf = ggufOf(checkpoint);
    const formatStep: Step<ExportArguments> = async (_, place) => {
      const choices = [
        { label: 'mergekit', detail: vscode.l10n.t('Passthrough configuration (YAML)'), value: 'mergekit' as const },
        {
          label: 'llama.cpp',
          detail: vscode.l10n.t('Command line for llama-quantize --prune-layers'),
          value: 'llama.cpp' as const,
        },
      ];
      return { format: await pick(place, vscode.l10n.t('Select a tool'), choices) };
    };
    requireKnownToOthers(checkpoint);
    const only = args.format ?? (gguf === undefined ? undefined : 'llama.cpp');
    const format = only ?? (await askAll(title, args, [formatStep])).format;
    const mergekit = format === 'mergekit';
    if (mergekit) requireKnownToMergekit(checkpoint);
    const { kept } = planEffect(checkpoint, removed);
    const content = mergekit
      ? mergekitRecipe(path, slicesOf(kept), checkpoint)
      : `${pruneLayersCommand(removed, gguf)}\n`;
    const document = await vscode.workspace.openTextDocument({ language: mergekit ? 'yaml' : 'shellscript', content });
    await vscode.window.showTextDocument(document);
    return content;
  },
};
