/** Every command. Loaded when the first of them runs (register.ts). */
import type { AnyCommand } from '../host/command';
import { addToProjectCommand } from './add-to-project';
import { modelCommands } from './models';
import { jobCommands } from './jobs';
import { trainingCommands } from './trainings';
import { recipeCommands } from './recipes';
import { programCommands } from './program';
import { addToCommand } from './add-to';
import { compareSizesCommand } from './compare-sizes';
import { compareWithOriginalCommand } from './compare-with-original';
import { compareWithWidthCommand } from './compare-with-width';
import { evaluatePerplexityCommand } from './evaluate-perplexity';
import { evaluateTasksCommand } from './evaluate-tasks';
import { dropExpertsCommand } from './drop-experts';
import { exportModelCommand } from './export-model';
import { exportPlanCommand } from './export-plan';
import { copyLoadingCodeCommand } from './copy-loading-code';
import { discardJobCommand } from './discard-job';
import { forecastDraftCommand } from './forecast-draft';
import { generateTextCommand } from './generate-text';
import { healCheckpointCommand } from './heal-checkpoint';
import { measureSpeedCommand } from './measure-speed';
import { mergeAdapterCommand } from './merge-adapter';
import { newRecipeCommand } from './new-recipe';
import { openCheckpointCommand } from './open-checkpoint';
import { openFromHubCommand } from './open-from-hub';
import { pruneCheckpointCommand } from './prune-checkpoint';
import { pruneIterativelyCommand } from './prune-iteratively';
import { reportIssueCommand } from './report-issue';
import { keepBlocksCommand, removeBlocksCommand, removeRangeCommand } from './remove-blocks';
import { comparePlansCommand } from './compare-plans';
import { deleteModelCommand } from './delete-model';
import { deletePlanCommand, resetPlanCommand, savePlanCommand, usePlanCommand } from './plans';
import { nextStepCommand } from './next-step';
import { retrainLoraCommand } from './retrain-lora';
import { saveAsRecipeCommand } from './save-as-recipe';
import { runOnClusterCommand } from './run-on-cluster';
import { runRecipeCommand, runRecipeStepCommand } from './run-recipe';
import { runRecipeStepOnClusterCommand } from './run-recipe-step-on-cluster';
import { scoreBlocksCommand } from './score-blocks';
import { showBeforeAfterCommand } from './show-before-after';
import { showJobsCommand } from './show-jobs';
import { showScoresCommand } from './show-scores';
import { setGoalCommand } from './set-goal';
import { suggestBlocksCommand } from './suggest-blocks';
import { toggleBlockCommand } from './toggle-block';
import { trimVocabularyCommand } from './trim-vocabulary';
import { useAsApplicationTextCommand } from './use-as-application-text';
import { useAsCalibrationTextCommand } from './use-as-calibration-text';
import { verifyExportCommand } from './verify-export';

export const COMMANDS: readonly AnyCommand[] = [
  ...programCommands,
  ...recipeCommands,
  ...trainingCommands,
  ...jobCommands,
  ...modelCommands,
  openCheckpointCommand,
  openFromHubCommand,
  scoreBlocksCommand,
  useAsApplicationTextCommand,
  useAsCalibrationTextCommand,
  runOnClusterCommand,
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
  compareSizesCommand,
  generateTextCommand,
  retrainLoraCommand,
  mergeAdapterCommand,
  dropExpertsCommand,
  trimVocabularyCommand,
  forecastDraftCommand,
  exportModelCommand,
  verifyExportCommand,
  copyLoadingCodeCommand,
  addToCommand,
  addToProjectCommand,
  exportPlanCommand,
  saveAsRecipeCommand,
  newRecipeCommand,
  runRecipeCommand,
  runRecipeStepCommand,
  runRecipeStepOnClusterCommand,
  showJobsCommand,
  discardJobCommand,
  reportIssueCommand,
];
