/** The services that commands and views share, created on activation. */
import type * as vscode from 'vscode';
import type { ClusterRuns } from './cluster/cluster-runs';
import type { Config } from '../state/config';
import type { FailedJobs } from './jobs/failed-jobs';
import type { JobJournal } from './jobs/job-journal';
import type { RecipeRuns } from './recipes/recipe-runs';
import type { VisiblePanels } from './jobs/visible-panels';
import type { JobsView } from '../views/jobs/view';
import type { JobSpec } from '../protocol/jobs';
import type { SidecarClient } from '../sidecar/client';
import type { RemoteSpeeds } from '../sidecar/speeds';
import type { HiddenPaths } from '../state/hidden';
import type { CheckpointLibrary } from '../state/library';
import type { Goals } from '../state/goals';
import type { NamedPlans } from '../state/named-plans';
import type { Plans } from '../state/plan';
import type { RunRecords } from '../state/run-records';
import type { ScoreStore } from '../state/scores';
import type { TogetherJobs } from '../state/together';
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
  readonly speeds: RemoteSpeeds;
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
