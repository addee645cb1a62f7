/** The line of a stopped training. */
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { StoppedTraining } from '../../engine/retrain/loop/stopped';
import { checkpointName } from '../../jobs/titles';

/** "SmolLM2-135M-24-blocks-adapter (stopped at step 1 of 6)". */
export function stoppedWords({ out, step, steps }: StoppedTraining): string {
  return vscode.l10n.t('{0} (stopped at step {1} of {2})', basename(out), step, steps);
}

export function trainingItem(training: StoppedTraining): vscode.TreeItem {
  const { out, step, steps, request } = training;
  const item = new vscode.TreeItem(basename(out));
  item.id = `training:${out}`;
  item.contextValue = 'training';
  item.iconPath = new vscode.ThemeIcon('debug-pause');
  item.description = vscode.l10n.t('(stopped at step {0} of {1})', step, steps);
  const of = request && vscode.l10n.t('Training of {0}', checkpointName(request.checkpoint));
  item.tooltip = [...(of === undefined ? [] : [of]), vscode.l10n.t('Output folder: {0}', dirname(out))].join('\n');
  item.accessibilityInformation = { label: stoppedWords(training) };
  return item;
}
