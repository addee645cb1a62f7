/** Every command of the palette. */
import type * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { openResultsCommand } from '../editors/results/panel';
import { type AnyCommand, register } from '../host/command';
import { copyCliCommand } from './copy-cli-command';
import { evaluatePerplexityCommand } from './evaluate-perplexity';
import { exportPlanCommand } from './export-plan';
import { copyPathCommand, openInEditorCommand, revealFilesCommand } from './files';
import { generateTextCommand } from './generate-text';
import { openWalkthroughCommand, restartSidecarCommand, showLogCommand } from './help';
import { cancelJobCommand, showJobsCommand } from './jobs';
import { closeCheckpointCommand, hideCheckpointCommand, refreshCommand, showHiddenCommand } from './list';
import { mergeAdapterCommand } from './merge-adapter';
import { openCheckpointCommand } from './open-checkpoint';
import { pruneCheckpointCommand } from './prune-checkpoint';
import { resetPlanCommand } from './reset-plan';
import { retrainLoraCommand } from './retrain-lora';
import { openSampleCommand } from './sample';
import { scoreBlocksCommand } from './score-blocks';
import { showScoresCommand } from './show-scores';
import { discardTrainingCommand, resumeTrainingCommand } from './stopped-trainings';
import { suggestBlocksCommand } from './suggest-blocks';
import { toggleBlockCommand } from './toggle-block';

export const COMMANDS: readonly AnyCommand[] = [
  openCheckpointCommand,
  openSampleCommand,
  refreshCommand,
  closeCheckpointCommand,
  hideCheckpointCommand,
  showHiddenCommand,
  openInEditorCommand,
  revealFilesCommand,
  copyPathCommand,
  scoreBlocksCommand,
  openResultsCommand,
  showScoresCommand,
  toggleBlockCommand,
  suggestBlocksCommand,
  resetPlanCommand,
  pruneCheckpointCommand,
  evaluatePerplexityCommand,
  generateTextCommand,
  retrainLoraCommand,
  resumeTrainingCommand,
  discardTrainingCommand,
  mergeAdapterCommand,
  copyCliCommand,
  exportPlanCommand,
  showJobsCommand,
  cancelJobCommand,
  showLogCommand,
  restartSidecarCommand,
  openWalkthroughCommand,
];

export const registerCommands = (coppice: Coppice): vscode.Disposable[] =>
  COMMANDS.map((command) => register(coppice, command));
