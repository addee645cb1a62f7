/** The services that commands and views share, created on activation. */
import type * as vscode from 'vscode';
import type { MachineSpeeds } from '../estimates/machine';
import type { ClusterRuns } from './cluster-runs';
import type { Config } from './config';
import type { FailedJobs } from './failed-jobs';
import type { JobJournal } from './job-journal';
import type { RecipeRuns } from './recipe-runs';
import type { VisiblePanels } from './visible-panels';
import type { JobsView } from '../views/jobs/view';
import type { JobSpec } from '../protocol/jobs';
import type { SidecarClient } from '../sidecar/client';
import type { HiddenPaths } from '../views/hidden';
import type { CheckpointLibrary } from '../views/library';
import type { Goals } from '../views/goals';
import type { NamedPlans } from '../views/named-plans';
import type { Plans } from '../views/plan';
import type { RunRecords } from '../views/run-records';
import type { ScoreStore } from '../views/scores';
import type { TogetherJobs } from '../views/together';
import type { CheckpointTree } from '../views/tree';

export interface Coppice {
  readonly context: vscode.ExtensionContext;
  readonly config: Config;
  readonly log: vscode.LogOutputChannel;
  readonly library: CheckpointLibrary;
  readonly plans: Plans;
  readonly namedPlans: NamedPlans;
  /** What each family of models must be to ship. */
  readonly goals: Goals;
  readonly scores: ScoreStore;
  /** What all runs of the workspace found. */
  readonly records: RunRecords;
  readonly hidden: HiddenPaths;
  readonly sidecar: SidecarClient;
  /** Jobs that are one for the user. */
  readonly together: TogetherJobs;
  /** What this machine does in a second, for estimates. */
  readonly speeds: MachineSpeeds;
  readonly tree: CheckpointTree;
  /** The last job that was run, for "Copy as CLI Command". */
  readonly history: { last?: JobSpec };
  readonly recipes: RecipeRuns;
  /** The jobs of earlier windows that did not end, and those that were stopped. */
  readonly journal: JobJournal;
  readonly failed: FailedJobs;
  readonly jobs: JobsView;
  /** Results panels that are seen. */
  readonly panels: VisiblePanels;
  readonly cluster: ClusterRuns;
}
