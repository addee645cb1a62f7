/** Every command of the palette. */
import type * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { type AnyCommand, register } from '../host/command';
import { cancelJobCommand } from './cancel-job';
import { cancelRecipeCommand } from './cancel-recipe';
import { closeCheckpointCommand } from './close-checkpoint';
import { compareWithOriginalCommand } from './compare-with-original';
import { compareWithWidthCommand } from './compare-with-width';
import { copyCliCommand } from './copy-cli-command';
import { evaluatePerplexityCommand } from './evaluate-perplexity';
import { evaluateTasksCommand } from './evaluate-tasks';
import { exportModelCommand } from './export-model';
import { exportPlanCommand } from './export-plan';
import { copyLoadingCodeCommand } from './copy-loading-code';
import { copyPathCommand } from './copy-path';
import { deleteRecordCommand } from './delete-record';
import { discardJobCommand } from './discard-job';
import { discardTrainingCommand } from './discard-training';
import { generateTextCommand } from './generate-text';
import { healCheckpointCommand } from './heal-checkpoint';
import { hideCheckpointCommand } from './hide-checkpoint';
import { measureSpeedCommand } from './measure-speed';
import { mergeAdapterCommand } from './merge-adapter';
import { newRecipeCommand } from './new-recipe';
import { openCheckpointCommand } from './open-checkpoint';
import { openFromHubCommand } from './open-from-hub';
import { openFromExplorerCommand } from './open-from-explorer';
import { openInEditorCommand } from './open-in-editor';
import { openJobResultsCommand } from './open-job-results';
import { openRecipeReportCommand } from './open-recipe-report';
import { openRecordCommand } from './open-record';
import { openResultsCommand } from './open-results';
import { openSampleCommand } from './open-sample';
import { openWalkthroughCommand } from './open-walkthrough';
import { planRecipeCommand } from './plan-recipe';
import { pruneCheckpointCommand } from './prune-checkpoint';
import { pruneIterativelyCommand } from './prune-iteratively';
import { refreshCommand } from './refresh-checkpoints';
import { refreshJobsCommand, showMoreJobsCommand } from './refresh-jobs';
import { removeJobCommand } from './remove-job';
import { reportIssueCommand } from './report-issue';
import { keepBlocksCommand, removeBlocksCommand, removeRangeCommand } from './remove-blocks';
import { comparePlansCommand } from './compare-plans';
import { deleteModelCommand } from './delete-model';
import { deletePlanCommand, savePlanCommand, usePlanCommand } from './named-plans';
import { nextStepCommand } from './next-step';
import { openTerminalCommand } from './open-terminal';
import { resetPlanCommand } from './reset-plan';
import { restartSidecarCommand } from './restart-sidecar';
import { resumeJobCommand, runJobAgainCommand } from './resume-job';
import { resumeTrainingCommand } from './resume-training';
import { retrainLoraCommand } from './retrain-lora';
import { retrainOnFileCommand } from './retrain-on-file';
import { revealFilesCommand } from './reveal-files';
import { saveAsRecipeCommand } from './save-as-recipe';
import { runOnClusterCommand } from './run-on-cluster';
import { runRecipeCommand, runRecipeStepCommand } from './run-recipe';
import { runRecipeStepOnClusterCommand } from './run-recipe-step-on-cluster';
import { scoreBlocksCommand } from './score-blocks';
import { showBeforeAfterCommand } from './show-before-after';
import { showHiddenCommand } from './show-hidden';
import { showJobErrorCommand } from './show-job-error';
import { showJobsCommand } from './show-jobs';
import { showLogCommand } from './show-log';
import { showScoresCommand } from './show-scores';
import { setGoalCommand } from './set-goal';
import { suggestBlocksCommand } from './suggest-blocks';
import { toggleBlockCommand } from './toggle-block';
import { useAsCalibrationTextCommand } from './use-as-calibration-text';
import { verifyExportCommand } from './verify-export';

export const COMMANDS: readonly AnyCommand[] = [
  openCheckpointCommand,
  openFromExplorerCommand,
  openFromHubCommand,
  openSampleCommand,
  refreshCommand,
  closeCheckpointCommand,
  hideCheckpointCommand,
  showHiddenCommand,
  openInEditorCommand,
  revealFilesCommand,
  copyPathCommand,
  scoreBlocksCommand,
  useAsCalibrationTextCommand,
  runOnClusterCommand,
  openResultsCommand,
  showScoresCommand,
  showBeforeAfterCommand,
  compareWithOriginalCommand,
  toggleBlockCommand,
  keepBlocksCommand,
  removeBlocksCommand,
  removeRangeCommand,
  comparePlansCommand,
  deleteModelCommand,
  deletePlanCommand,
  savePlanCommand,
  usePlanCommand,
  nextStepCommand,
  openTerminalCommand,
  suggestBlocksCommand,
  setGoalCommand,
  resetPlanCommand,
  pruneCheckpointCommand,
  healCheckpointCommand,
  pruneIterativelyCommand,
  evaluatePerplexityCommand,
  evaluateTasksCommand,
  measureSpeedCommand,
  compareWithWidthCommand,
  generateTextCommand,
  retrainLoraCommand,
  retrainOnFileCommand,
  resumeTrainingCommand,
  discardTrainingCommand,
  mergeAdapterCommand,
  exportModelCommand,
  verifyExportCommand,
  copyLoadingCodeCommand,
  copyCliCommand,
  exportPlanCommand,
  saveAsRecipeCommand,
  newRecipeCommand,
  runRecipeCommand,
  runRecipeStepCommand,
  runRecipeStepOnClusterCommand,
  planRecipeCommand,
  openRecipeReportCommand,
  cancelRecipeCommand,
  showJobsCommand,
  cancelJobCommand,
  openJobResultsCommand,
  openRecordCommand,
  showJobErrorCommand,
  resumeJobCommand,
  runJobAgainCommand,
  discardJobCommand,
  deleteRecordCommand,
  removeJobCommand,
  refreshJobsCommand,
  showMoreJobsCommand,
  showLogCommand,
  reportIssueCommand,
  restartSidecarCommand,
  openWalkthroughCommand,
];

export const registerCommands = (coppice: Coppice): vscode.Disposable[] =>
  COMMANDS.map((command) => register(coppice, command));
