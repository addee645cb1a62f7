/**
 * Every message between the extension host and the results panel. The panel says `ready`; the host answers with `init`,
 * the whole state, and then tells changes. Each of the host's messages is numbered: a panel that misses one (it was
 * hidden, or reloaded) says `ready` again. Nothing else is kept in the panel than what it looks like.
 */
import type { Comparison } from '../engine/records/compare';
import type { RunDigest, TrainingEvaluation, TrainingStep } from '../engine/records/digest-types';
import type { UserFailure } from './errors';
import type { JobKind, JobState, ProgressInfo, TextEvent } from './jobs';
import type { JsonNumber } from '../format/json';
import type { SampleText } from './samples';
import type { CriterionName } from './scores';

export type { Comparison, ComparisonRow } from '../engine/records/compare';
export type {
  CostDigest,
  CurveDigest,
  RetrainedDigest,
  RunDigest,
  SamplesDigest,
  ScoreDigest,
  TrainingDigest,
  TrainingEvaluation,
  TrainingStep,
} from '../engine/records/digest-types';

/** Everything that the panel shows. The host owns it. */
export interface PanelState {
  readonly model: PanelModel;
  readonly family: PanelFamily;
  readonly plan: PanelPlan;
  /** What perplexity is measured on; null until that is known. */
  readonly text: PanelText | null;
  readonly whatIf: WhatIfState;
  /** Newest first. */
  readonly runs: readonly PanelRun[];
  /** Files in the folder of runs that are none. */
  readonly unreadable: readonly { readonly id: string; readonly why: string }[];
  readonly jobs: readonly PanelJob[];
  /** Models that can write, the checkpoint itself first. */
  readonly columns: readonly ColumnChoice[];
  /** Prompts to choose from, the user's own first. */
  readonly prompts: readonly string[];
  /** Those that the user kept. */
  readonly ownPrompts: readonly string[];
  /** The tokenizer has a chat template. */
  readonly chat: boolean;
  /** The retraining that runs, or ran last in this window. */
  readonly training: LiveTraining | null;
  /** The text that is being written, or was last. */
  readonly writing: LiveSamples | null;
  readonly comparison: Comparison | null;
  /** What went wrong last; null when it was dismissed. */
  readonly failure: UserFailure | null;
  /** Of the workspace: in one that is not, nothing is computed or written. */
  readonly trusted: boolean;
}

export interface PanelModel {
  readonly name: string;
  /** Of the checkpoint, as the editor knows it. */
  readonly path: string;
  readonly blocks: number;
  readonly parameters: number;
  /** The mean over the blocks. */
  readonly parametersPerBlock: number;
  /** Those that are read for a token: an embedding that is no head as well is not. */
  readonly parametersRead: number;
  readonly bytes: number;
  readonly identity: string;
}

/** The checkpoint's place among those that Coppice made from one another. */
export interface PanelFamily {
  readonly parent: PanelParent | null;
  readonly children: readonly PanelChild[];
}

/** What the checkpoint was made from, by the record in its folder. */
export interface PanelParent {
  readonly name: string;
  /** Its blocks that were left out, ascending. */
  readonly removed: readonly number[];
  /** Null where it is not among the checkpoints that are known. */
  readonly there: {
    readonly path: string;
    readonly blocks: number;
    readonly parameters: number;
    readonly parametersRead: number;
    /** On the panel's text, where a run has measured it. */
    readonly ppl: JsonNumber | null;
  } | null;
}

export interface PanelChild {
  readonly name: string;
  readonly path: string;
  /** Blocks of the panel's checkpoint that it lacks. */
  readonly removed: readonly number[];
  /** Adapters that were trained on it, the newest first. */
  readonly retrained: readonly string[];
  /** On the panel's text, where a run has measured it. */
  readonly ppl: JsonNumber | null;
}

/** The rows that every perplexity of the panel is measured on, unless it says otherwise. */
export interface PanelText {
  /** Path of the file, in the workspace where it lies in it. */
  readonly name: string;
  readonly samples: number;
  readonly length: number;
  readonly seed: number;
  /** Whose it is: that of the scores, that of the settings, or the user's choice. */
  readonly from: 'scores' | 'setting' | 'choice';
  /** Names the rows, as those of runs do; undefined where the file cannot be read. */
  readonly rowsKey?: string;
  /** Why nothing can be measured on it, in words. */
  readonly fault?: string;
}

export interface PanelPlan {
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  /** Never suggested for removal. */
  readonly protected: readonly number[];
  /** The settings forbid to remove them. */
  readonly locked: readonly number[];
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly parameters: number;
  readonly bytes: number;
  /** Estimated; times as fast as the whole model. */
  readonly speedup: number;
  /** Of a plan that removes what a suggestion would have left alone: "removes block 2, which matters much (ppl 125)". */
  readonly warning: string | null;
}

/** Perplexity of the plan on the calibration rows. */
export interface WhatIfState {
  readonly status: 'idle' | 'waiting' | 'computing' | 'done' | 'failed';
  /** Of the whole model, once known. */
  readonly full: JsonNumber | null;
  /** The plan that `ppl` belongs to. */
  readonly removed: readonly number[];
  readonly ppl: JsonNumber | null;
  readonly seconds: number | null;
  /** Name of the calibration text. */
  readonly text: string | null;
  /** Names the rows, as that of a curve does; undefined until they are known. */
  readonly rowsKey?: string;
  readonly failure: string | null;
}

/** A run of the folder; `id` names it in messages. */
export interface PanelRun {
  readonly id: string;
  readonly title: string;
  readonly digest: RunDigest;
  /** What it read that has changed since. */
  readonly changed: readonly string[];
  /** What it read that was not looked at, for it lies elsewhere, in words. */
  readonly unchecked?: readonly string[];
  /**
   * It is a run of another model of this name, or of this one before its files changed: listed, compared and reported,
   * but no chart shows it as this model's.
   */
  readonly foreign?: true;
}

export interface PanelJob {
  readonly id: string;
  readonly kind: JobKind;
  /** What it does in a word or two, translated. */
  readonly word: string;
  readonly state: JobState;
  readonly progress?: ProgressInfo;
}

/** A model that can write; `id` names it in messages. */
export interface ColumnChoice {
  readonly id: string;
  readonly label: string;
  readonly detail: string;
  /** It has to do with the checkpoint: itself, its plan, its adapters, what it was made from and what was made from it. */
  readonly related?: true;
}

export interface LiveTraining {
  readonly status: 'running' | 'done' | 'failed' | 'cancelled';
  readonly title: string;
  /** Planned; 0 until it is known. */
  readonly total: number;
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
  /** Why it failed. */
  readonly failure?: UserFailure;
  /** What was trained until it ended is kept: the message `training/resume` goes on with it. */
  readonly resumable?: true;
}

export interface LiveSamples {
  readonly status: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly prompt: string;
  readonly columns: readonly string[];
  /** One a column. */
  readonly texts: readonly LiveText[];
}

export interface LiveText {
  readonly text: string;
  readonly tokens: number;
  /** Seconds. */
  readonly timeToFirstToken: number | null;
  readonly tokensPerSecond: number | null;
  readonly repetition: number | null;
  /** Null while it is being written; 'cancelled' also where its turn never came. */
  readonly stopped: SampleText['stopped'] | null;
  /** Why this column could not go on; the others' texts stand. */
  readonly failure?: string;
}

/** Host → panel. */
export type HostMessage = { readonly sequence: number } & (
  | { readonly type: 'init'; readonly state: PanelState }
  /** These parts of the state are others now. */
  | { readonly type: 'update'; readonly changes: Partial<PanelState> }
  /** New points of the training that runs. */
  | {
      readonly type: 'training';
      readonly steps: readonly TrainingStep[];
      readonly evaluations: readonly TrainingEvaluation[];
    }
  /** New text of the columns that are being written. */
  | {
      readonly type: 'text';
      readonly pieces: readonly Pick<TextEvent, 'column' | 'text'>[];
      readonly texts: readonly LiveNumbers[];
    }
);

/** What is measured of each column while it writes. */
export type LiveNumbers = Omit<LiveText, 'text'>;

/** How to choose tokens. */
export interface WriteSettings {
  readonly maxNewTokens: number;
  readonly chat: boolean;
  /** Greedy when null. */
  readonly sampling: { readonly temperature: number; readonly topP: number; readonly seed: number } | null;
}

/** Panel → host. */
export type PanelMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'plan/toggle'; readonly block: number }
  /** `criterion`: the one whose curve has these blocks as a point; chosen by hand when undefined. */
  | { readonly type: 'plan/set'; readonly removed: readonly number[]; readonly criterion?: string }
  | { readonly type: 'plan/undo' }
  | { readonly type: 'plan/redo' }
  /** Start what a command does, with the plan as it is. */
  | { readonly type: 'start'; readonly action: 'score' | 'prune' | 'retrain' }
  /** Let the user choose what perplexity is measured on. */
  | { readonly type: 'text/choose' }
  /** Measure on these rows, which blocks were scored on. */
  | { readonly type: 'text/use'; readonly rowsKey: string }
  /** Open the panel of another checkpoint of the family. */
  | { readonly type: 'family/open'; readonly path: string }
  /** Go on with the training that ended early, where it is `resumable`. */
  | { readonly type: 'training/resume' }
  | { readonly type: 'start/curve'; readonly criterion: CriterionName }
  /** Measure the speed of the checkpoint, its plan and what has to do with it, in turns. */
  | { readonly type: 'start/bench' }
  /** Measure the adapter of this name on the calibration rows. */
  | { readonly type: 'start/retrained'; readonly adapter: string }
  | { readonly type: 'job/cancel'; readonly id: string }
  | {
      readonly type: 'samples/write';
      readonly prompt: string;
      readonly columns: readonly string[];
      readonly settings: WriteSettings;
    }
  | { readonly type: 'samples/stop' }
  | { readonly type: 'prompts/keep'; readonly prompt: string }
  | { readonly type: 'prompts/forget'; readonly prompt: string }
  | { readonly type: 'runs/compare'; readonly ids: readonly string[] }
  | { readonly type: 'runs/delete'; readonly ids: readonly string[] }
  | { readonly type: 'runs/open'; readonly id: string }
  | { readonly type: 'runs/report'; readonly ids: readonly string[] }
  | { readonly type: 'runs/card'; readonly ids: readonly string[] }
  | { readonly type: 'file/save'; readonly name: string; readonly content: FileContent }
  | { readonly type: 'clipboard'; readonly text: string }
  | { readonly type: 'failure/dismiss' }
  /** Shows what VS Code has for trusting the workspace. */
  | { readonly type: 'trust/manage' }
  /** A fault of the panel, for the log. */
  | { readonly type: 'fault'; readonly message: string };

export type FileContent = { readonly text: string } | { readonly base64: string };
