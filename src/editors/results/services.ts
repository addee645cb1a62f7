/** What a results panel needs from the rest of the extension. It does not use VS Code, so that tests run in Node. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { PrecisionChoice } from '../../engine/precision';
import type { LabelledModel } from '../../jobs/option';
import type { ReportAssets } from '../../engine/records/report';
import type { CompleteSource, Compute } from '../../protocol/jobs';
import type { ShipGoal, StartAction } from '../../protocol/journey';
import type { ActionTimes, FileContent, HostMessage, PanelText } from '../../protocol/panel';
import type { SidecarClient } from '../../sidecar/client';
import type { Goals } from '../../state/goals';
import type { NamedPlans } from '../../state/named-plans';
import type { Plans } from '../../state/plan';
import type { ScoreStore } from '../../state/scores';
import type { SizeGoal } from '../../state/size-ways';
import type { TogetherJobs } from '../../state/together';
import type { TextSource } from './panel-texts';
import type { PlanHistories } from './plan-history';
import type { PromptList } from './prompts';
import type { Trainings } from './trainings';

/** VS Code around the panel. */
export interface PanelHost {
  post(message: HostMessage): void;
  /** Runs the command for this action. The command asks for its options. */
  start(action: StartAction, checkpoint: string, adapter?: string): void;
  /** Runs the command that scores by this criterion, on these rows of a text. */
  scoreMore(checkpoint: string, criterion: string, text: TextSource): void;
  /** Runs the command that writes what a report on the vocabulary came to, with this least count. It asks where to. */
  trimVocabulary(checkpoint: string, run: string, min: number): void;
  /** Runs the command that writes the pair of a forecast. It asks where to. */
  writePair(checkpoint: string, run: string): void;
  /** Runs the command that copies code for a pair that was written. */
  copyPairCode(run: string): void;
  /** Runs the command that drafts a recipe for this goal. */
  newRecipe(checkpoint: string, goal: SizeGoal, report?: { readonly run: string; readonly min: number }): void;
  /** Bytes of all files of an export without these blocks. @throws UserError for a model that the format cannot hold */
  exportBytes(source: PanelCheckpoint, removed: readonly number[], goal: ShipGoal): Promise<number>;
  /** How long each action takes on this checkpoint without these blocks, in words. */
  times(source: PanelCheckpoint, removed: readonly number[]): ActionTimes;
  /** Asks for the name of a plan. @param known names that are in use @returns undefined if the user cancels */
  askPlanName(known: readonly string[]): Promise<string | undefined>;
  /** Runs the command that measures the speed of these models. It asks how much. */
  measureSpeed(checkpoint: string, columns: readonly LabelledModel[]): void;
  /** Runs the command that saves a recipe of these runs; undefined for those that lead to the plan. */
  saveRecipe(checkpoint: string, runs: readonly string[] | undefined): void;
  /** How long it takes to heal the checkpoint without these blocks quickly, on text that it writes itself; in words. */
  healingTime(source: PanelCheckpoint, removed: readonly number[]): string;
  /** Opens the panel of another checkpoint. */
  show(checkpoint: string): void;
  /**
   * Asks for the text to measure on.
   * @param known texts to choose from
   * @returns one of them, or the path of another file; undefined if the user cancels
   */
  chooseText(known: readonly PanelText[]): Promise<PanelText | string | undefined>;
  /** The name of a file for the user: its path in the workspace if it is inside. */
  nameOf(file: string): string;
  /**
   * Asks for a location and writes the file.
   * @param folder the proposed folder; that of the last file when undefined
   */
  save(name: string, content: FileContent, folder?: string): Promise<void>;
  copy(text: string): Promise<void>;
  open(file: string): Promise<void>;
  /** Asks whether to delete this number of records. */
  confirmDeletion(count: number): Promise<boolean>;
  reportAssets(): Promise<ReportAssets>;
  /** Logs a bug. */
  logError(error: unknown): void;
  /** Whether the workspace is trusted. Coppice computes nothing in Restricted Mode. */
  readonly trusted: () => boolean;
  /** Opens VS Code's page for workspace trust. */
  manageTrust(): void;
}

/** The settings that the panel uses. */
export interface PanelSettings {
  readonly compute: Compute;
  /** Of models that write text; chosen by the free memory when undefined. */
  readonly textPrecision?: PrecisionChoice;
  readonly calibration: CompleteSource;
  readonly keepEnds: boolean;
  readonly keep: string;
  /** Folders that may hold run records, the one for new ones first. */
  readonly recordFolders: readonly string[];
  /** Folders in which inputs of runs may be looked up: the user's own, and that of the bundled texts. */
  readonly inputFolders: readonly string[];
}

/** Other models of the workspace. */
export interface Neighbours {
  /** Adapters of any model, and files of healed weights and of widths. Some do not fit this one. */
  readonly adapters: readonly string[];
  readonly patches: readonly string[];
  readonly widths: readonly string[];
  readonly checkpoints: readonly string[];
}

export interface PanelServices {
  readonly host: PanelHost;
  readonly plans: Plans;
  readonly namedPlans: NamedPlans;
  readonly goals: Goals;
  readonly scores: Pick<ScoreStore, 'shown' | 'onChange'>;
  readonly histories: PlanHistories;
  readonly prompts: PromptList;
  readonly together: Pick<TogetherJobs, 'all' | 'cancel' | 'onChange'>;
  readonly sidecar: Pick<
    SidecarClient,
    'run' | 'request' | 'jobs' | 'specOf' | 'cancel' | 'onJobs' | 'onProgress' | 'onEnded'
  >;
  readonly trainings: Trainings;
  readonly settings: () => PanelSettings;
  readonly neighbours: () => Neighbours;
  /** Opens a neighbour. @throws UserError */
  readonly load: (path: string) => Promise<Checkpoint>;
}

/** The checkpoint that the panel is about. */
export interface PanelCheckpoint {
  /** The path in the library. */
  readonly path: string;
  readonly checkpoint: Checkpoint;
}
