/** What a results panel needs of the rest of the extension. Nothing here is VS Code's, so that plain Node can test it. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { ReportAssets } from '../../engine/records/report';
import type { CalibrationSource, Compute } from '../../protocol/jobs';
import type { FileContent, HostMessage, PanelMessage, PanelText } from '../../protocol/panel';
import type { SidecarClient } from '../../sidecar/client';
import type { Plans } from '../../views/plan';
import type { ScoreStore } from '../../views/scores';
import type { PlanHistories } from './plan-history';
import type { PromptList } from './prompts';
import type { Trainings } from './trainings';

/** The editor around the panel. */
export interface PanelHost {
  post(message: HostMessage): void;
  /** Runs the command that does this; it asks what it needs to know. */
  start(action: Extract<PanelMessage, { type: 'start' }>['action'], checkpoint: string): void;
  /** Opens the panel of another checkpoint. */
  show(checkpoint: string): void;
  /**
   * Asks which text to measure on.
   * @param known texts that stand to choose from
   * @returns one of them, or the path of another file; undefined when the user chose nothing
   */
  chooseText(known: readonly PanelText[]): Promise<PanelText | string | undefined>;
  /** What the user calls a file: its path in the workspace, where it lies in it. */
  nameOf(file: string): string;
  /**
   * Asks where to, and writes.
   * @param folder the one that is proposed; where the last file went when undefined
   */
  save(name: string, content: FileContent, folder?: string): Promise<void>;
  copy(text: string): Promise<void>;
  open(file: string): Promise<void>;
  /** Whether so many records are really to be deleted. */
  confirmDeletion(count: number): Promise<boolean>;
  reportAssets(): Promise<ReportAssets>;
  /** A fault of the program. */
  logError(error: unknown): void;
  /** Nothing is computed in an untrusted workspace. */
  readonly trusted: () => boolean;
  /** Lets the user look at the trust of the workspace. */
  manageTrust(): void;
}

/** The settings that matter. */
export interface PanelSettings {
  readonly compute: Compute;
  readonly calibration: Required<CalibrationSource>;
  readonly keepEnds: boolean;
  readonly keep: string;
  /** Folders that may hold run records, the one for new ones first. */
  readonly recordFolders: readonly string[];
  /** Folders below which the inputs of runs may be looked up: the user's own, and that of the bundled texts. */
  readonly inputFolders: readonly string[];
}

/** Other models around. */
export interface Neighbours {
  /** Of any model: not every one fits. */
  readonly adapters: readonly string[];
  readonly checkpoints: readonly string[];
}

export interface PanelServices {
  readonly host: PanelHost;
  readonly plans: Plans;
  readonly scores: Pick<ScoreStore, 'shown' | 'onChange'>;
  readonly histories: PlanHistories;
  readonly prompts: PromptList;
  readonly sidecar: Pick<SidecarClient, 'run' | 'request' | 'jobs' | 'cancel' | 'onJobs' | 'onProgress' | 'onEnded'>;
  readonly trainings: Trainings;
  readonly settings: () => PanelSettings;
  readonly neighbours: () => Neighbours;
  /** Opens a neighbour. @throws UserError */
  readonly load: (path: string) => Promise<Checkpoint>;
}

/** The checkpoint that the panel is about. */
export interface PanelCheckpoint {
  /** As the library names it. */
  readonly path: string;
  readonly checkpoint: Checkpoint;
}
