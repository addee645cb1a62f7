/**
 * The messages between the extension host and the results panel. The panel sends `ready`. The host answers with `init`, the
 * whole state, and then sends changes. The host numbers its messages. A panel that misses one (it was hidden or reloaded)
 * sends `ready` again. The panel itself keeps only how it looks.
 */
import type { TextShare } from '../format/text-share';
import type { Comparison } from '../engine/records/compare';
import type {
  ComparedDigest,
  DraftedDigest,
  RunDigest,
  TrainingEvaluation,
  TrainingStep,
} from '../engine/records/digest-types';
import type { UserFailure } from './errors';
import type { JobKind, JobState, ProgressInfo, TextEvent } from './jobs';
import type { JsonNumber } from '../format/json';
import type { Journey, StartAction, StepName } from './journey';
import type { ChatTurn } from './jobs';
import type { SampleText } from '../jobs/results/generate';
import type { CriterionName } from './jobs';
import type { SizeWays } from './size-ways';

export type { Comparison, ComparisonRow } from '../engine/records/compare';
export type * from '../engine/records/digest-types';

/** The state that the panel shows. The host owns it. */
export interface PanelState {
  readonly model: PanelModel;
  readonly kin: PanelKin;
  readonly plan: PanelPlan;
  /** Plans that the user has given a name, in the order of their names. */
  readonly namedPlans: readonly NamedPlan[];
  /** The way to a model that ships, and the one step that comes next. */
  readonly journey: Journey;
  /** What tokens, blocks and bits would each have to do for the goal's size; null without such a goal, or where the whole model fits. */
  readonly ways: SizeWays | null;
  /** The checkpoint's files are not there any more: what was measured can be read, and nothing computed. */
  readonly missing: boolean;
  /** How long each action is expected to take, in words such as "about 2:00"; without an entry it takes no time or is unknown. */
  readonly times: ActionTimes;
  /** The text for perplexity; null until it is known. */
  readonly text: PanelText | null;
  readonly whatIf: WhatIfState;
  /** Newest first. */
  readonly runs: readonly PanelRun[];
  /** Files in the folder of runs that are not records. */
  readonly unreadable: readonly { readonly id: string; readonly why: string }[];
  readonly jobs: readonly PanelJob[];
  /** Models that can generate, the checkpoint itself first. */
  readonly columns: readonly ColumnChoice[];
  /** Prompts to choose from, the user's own first. */
  readonly prompts: readonly string[];
  /** The user's saved prompts. */
  readonly ownPrompts: readonly string[];
  /** What to ask in a chat, the user's own prompts first. */
  readonly questions: readonly string[];
  /** The tokenizer has a chat template. */
  readonly chat: boolean;
  /** The model was trained for it, so a chat is what fits it. */
  readonly instruct: boolean;
  /** The running or last retraining. */
  readonly training: LiveTraining | null;
  /** The texts that models generate now, or generated last. */
  readonly writing: LiveSamples | null;
  readonly comparison: Comparison | null;
  /** The last error; null when the user has dismissed it. */
  readonly failure: UserFailure | null;
  /** The workspace is trusted. Otherwise Coppice computes and writes nothing. */
  readonly trusted: boolean;
}

export interface PanelModel {
  readonly name: string;
  /** Path of the checkpoint in the library. */
  readonly path: string;
  readonly blocks: number;
  readonly parameters: number;
  /** The mean over the blocks. */
  readonly parametersPerBlock: number;
  /** Parameters that are read for each token: all but an untied embedding. */
  readonly parametersRead: number;
  /** Of its files. */
  readonly bytes: number;
  /** Of the files of each block, in order; empty if they are not known. */
  readonly blockBytes: readonly number[];
  /** What a model made from it has more, or less: a card and a record of its own. */
  readonly bytesMore: number;
  /** What removing blocks can bring, in a sentence; null if that is not known. */
  readonly saving: string | null;
  /** Why it cannot be healed, in a line; null if it can. */
  readonly noHealing: string | null;
  readonly identity: string;
}

/** The base model and the derived models of the checkpoint. */
export interface PanelKin {
  readonly parent: PanelParent | null;
  /** The oldest ancestor; null if the checkpoint was not made from another one, or the ancestor is not in the library. */
  readonly original: PanelOriginal | null;
  readonly children: readonly PanelChild[];
}

/** The base model of the checkpoint, by the record in its folder. */
export interface PanelParent {
  readonly name: string;
  /** Its removed blocks, ascending. */
  readonly removed: readonly number[];
  /** Null if it is not in the library. */
  readonly there: {
    readonly path: string;
    readonly blocks: number;
    readonly parameters: number;
    readonly parametersRead: number;
    /** Perplexity on the panel's text; null if no run has measured it, or the vocabulary is another one. */
    readonly ppl: JsonNumber | null;
  } | null;
}

export interface PanelOriginal {
  readonly name: string;
  readonly path: string;
  readonly identity: string;
  readonly blocks: number;
  readonly parametersRead: number;
  readonly bytes: number;
  /** Perplexity on the panel's text; null if no run has measured it, or the vocabulary is another one. */
  readonly ppl: JsonNumber | null;
}

export interface PanelChild {
  readonly name: string;
  readonly path: string;
  /** Removed blocks of the panel's checkpoint. */
  readonly removed: readonly number[];
  /** How it was made: "prune", "heal", "merge", "retrain", "export" … */
  readonly kind: string;
  /** Its weights were corrected in closed form. */
  readonly healed?: true;
  /** Adapters that were trained on it, newest first. */
  readonly retrained: readonly string[];
  /** Perplexity on the panel's text; null if no run has measured it, or the vocabulary is another one. */
  readonly ppl: JsonNumber | null;
  /** Tokens of its vocabulary, if that is not the checkpoint's: then only bits per byte compare. */
  readonly otherVocabulary?: number;
  /** Bits per byte on the panel's text; undefined if no run has measured them. */
  readonly bitsPerByte?: JsonNumber;
  /** How near it is to the unpruned model there, if that run compared them. */
  readonly compared?: ComparedDigest;
}

/** The rows of every perplexity in the panel, unless the panel says otherwise. */
export interface PanelText {
  /** Path of the file, relative to the workspace if it is inside. */
  readonly name: string;
  readonly samples: number;
  readonly length: number;
  readonly seed: number;
  /** The share of the text; all of it when undefined. */
  readonly share?: TextShare;
  /** The text of the scores, that of the settings, or the user's choice. */
  readonly from: 'scores' | 'setting' | 'choice';
  /** Key of the rows, as in runs; undefined if the file cannot be read. */
  readonly rowsKey?: string;
  /** Why the text cannot be used. */
  readonly fault?: string;
}

export interface PanelPlan {
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  /** Never suggested for removal. */
  readonly protected: readonly number[];
  /** The settings forbid their removal. */
  readonly locked: readonly number[];
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly parameters: number;
  readonly bytes: number;
  /** Estimated speed relative to the whole model. */
  readonly speedup: number;
  /** How long a quick healing of the plan takes, in words; empty if unknown. */
  readonly healingTime: string;
  /** Warns of a plan that removes blocks which a suggestion would keep. It continues "The plan". */
  readonly warning: string | null;
}

/** A plan with a name, to compare it with others. */
export interface NamedPlan {
  readonly name: string;
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  /** Perplexity on the panel's text; null if it is unknown. */
  readonly ppl: JsonNumber | null;
}

/** Everything that a button of the panel starts and that takes time; a text is one of 64 tokens by one model. */
/** Healing on a text of the user, where it would be on one that the model writes first, is `healOnText`. */
export type TimedAction = StartAction | 'curve' | 'speed' | 'healed' | 'healOnText' | 'text';
export type ActionTimes = Readonly<Partial<Record<TimedAction, string>>>;

/** Perplexity of the plan on the calibration rows. */
export interface WhatIfState {
  readonly status: 'idle' | 'waiting' | 'computing' | 'done' | 'failed';
  /** Perplexity of the whole model; null until it is known. */
  readonly full: JsonNumber | null;
  /** The plan that `ppl` belongs to. */
  readonly removed: readonly number[];
  readonly ppl: JsonNumber | null;
  /** How far the plan is from the whole model: mean KL in nats, share of tokens with the same most likely one. */
  readonly kl?: JsonNumber | null;
  readonly top1?: JsonNumber | null;
  /** int8 while the number is a quick one, which float32 replaces; float32 if absent. */
  readonly precision?: string;
  /** How many rows a quick number is of, if not all. */
  readonly readRows?: number;
  readonly seconds: number | null;
  /** Name of the calibration text. */
  readonly text: string | null;
  /** Key of the rows, as in a curve; undefined until they are known. */
  readonly rowsKey?: string;
  readonly failure: string | null;
}

/** A run of the folder; `id` names it in messages. */
export interface PanelRun {
  readonly id: string;
  readonly title: string;
  readonly digest: RunDigest;
  /** Inputs that have changed since. */
  readonly changed: readonly string[];
  /** Inputs that were not checked because they are elsewhere, in words. */
  readonly unchecked?: readonly string[];
  /**
   * A run of another model with this name, or of this model before its files changed. The list, comparisons and reports
   * include it, but charts do not.
   */
  readonly foreign?: true;
}

export interface PanelJob {
  readonly id: string;
  /** "compare" stands for several jobs, one after the other. */
  readonly kind: JobKind | 'compare';
  /** The job in one or two words, translated. */
  readonly word: string;
  readonly state: JobState;
  readonly progress?: ProgressInfo;
  /** The text that a scoring reads, with its rows: "story.txt · 10×128". */
  readonly text?: string;
}

/** What a model has to do with the panel's: itself and its changes, what it was made from, what was made from it. */
export type ColumnGroup = 'own' | 'origin' | 'made' | 'other';

/** A model that can generate; `id` names it in messages. */
export interface ColumnChoice {
  readonly id: string;
  readonly label: string;
  readonly detail: string;
  readonly group: ColumnGroup;
  /** The checkpoint, its plan, its adapters, its base model or a derived model. */
  readonly related?: true;
}

export interface LiveTraining {
  readonly status: 'running' | 'done' | 'failed' | 'cancelled';
  readonly title: string;
  /** Planned steps; 0 until they are known. */
  readonly total: number;
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
  /** Perplexity of the unpruned model on the held-out part; undefined until it is known. */
  readonly unpruned?: JsonNumber;
  /** Why it failed. */
  readonly failure?: UserFailure;
  /** Its state is saved. The message `training/resume` resumes it. */
  readonly resumable?: true;
}

export interface LiveSamples {
  readonly status: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly prompt: string;
  readonly columns: readonly string[];
  /** The chat template formats the prompt. */
  readonly chat?: true;
  /** The system message of the chat. */
  readonly system?: string;
  /** For each column, the turns before the prompt, oldest first. */
  readonly earlier?: readonly (readonly ChatTurn[])[];
  /** What the models compute in; undefined while that is not known. */
  readonly precision?: string;
  /** One text for each column. */
  readonly texts: readonly LiveText[];
}

export interface LiveText {
  readonly text: string;
  readonly tokens: number;
  /** Seconds. */
  readonly timeToFirstToken: number | null;
  readonly tokensPerSecond: number | null;
  readonly repetition: number | null;
  /** A draft that proposes tokens: times are with it. */
  readonly draft?: DraftedDigest;
  /** Why it ended; null while the model generates. A text that never started is 'cancelled'. */
  readonly stopped: SampleText['stopped'] | null;
  /** Why this column failed. The other texts are valid. */
  readonly failure?: string;
}

/** Host → panel. */
export type HostMessage = { readonly sequence: number } & (
  | { readonly type: 'init'; readonly state: PanelState }
  /** These parts of the state have changed. */
  | { readonly type: 'update'; readonly changes: Partial<PanelState> }
  /** New points of the running training. */
  | {
      readonly type: 'training';
      readonly steps: readonly TrainingStep[];
      readonly evaluations: readonly TrainingEvaluation[];
    }
  /** A run that its chart should draw. */
  | { readonly type: 'show'; readonly run: string }
  /** New text of the columns. */
  | {
      readonly type: 'text';
      readonly pieces: readonly Pick<TextEvent, 'column' | 'text'>[];
      readonly texts: readonly LiveNumbers[];
    }
);

/** The numbers of a column while its model generates. */
export type LiveNumbers = Omit<LiveText, 'text'>;

/** How to generate. */
export interface WriteSettings {
  readonly maxNewTokens: number;
  readonly chat: boolean;
  /** The system message of a chat; the template's own when undefined. */
  readonly system?: string;
  /** Greedy sampling when null. */
  readonly sampling: { readonly temperature: number; readonly topP: number; readonly seed: number } | null;
  /** Each model in so many bits proposes tokens, which it checks itself; none when undefined. */
  readonly draft?: 'int4' | 'int8';
}

/** Panel → host. */
export type PanelMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'plan/toggle'; readonly block: number }
  /** `criterion`: the curve of this criterion has the blocks as a point; undefined for a choice by hand. */
  | { readonly type: 'plan/set'; readonly removed: readonly number[]; readonly criterion?: string }
  | { readonly type: 'plan/undo' }
  | { readonly type: 'plan/redo' }
  /** Run a command with the current plan. */
  | { readonly type: 'start'; readonly action: StartAction; readonly adapter?: string }
  /** Score by the same criterion on more samples of the text that these rows are of. */
  | {
      readonly type: 'score/more';
      readonly criterion: string;
      readonly rowsKey: string;
      readonly samples: number;
    }
  /** Write the model without the tokens that a report found seldom: those below this least count. */
  | { readonly type: 'start/vocabulary'; readonly run: string; readonly min: number }
  /** Write the pair of this forecast's best draft, or copy code that runs the pair that was written. */
  | { readonly type: 'draft/write'; readonly run: string }
  | { readonly type: 'draft/code'; readonly run: string }
  /** Drafts a recipe that meets the goal's size; with a report, on a model with a trimmed vocabulary. */
  | { readonly type: 'start/recipe'; readonly run?: string; readonly min?: number }
  /** Leave out this step of the journey. */
  | { readonly type: 'journey/skip'; readonly step: StepName }
  /** Keep the current plan under a name, which the host asks for. */
  | { readonly type: 'plan/keep' }
  /** Make a named plan the current one, or forget it. */
  | { readonly type: 'plan/use'; readonly name: string }
  | { readonly type: 'plan/forget'; readonly name: string }
  /** Let the user choose the text for perplexity. */
  | { readonly type: 'text/choose' }
  /** Measure on these rows of a scoring. */
  | { readonly type: 'text/use'; readonly rowsKey: string }
  /** Open the panel of the base model or of a derived model. */
  | { readonly type: 'kin/open'; readonly path: string }
  /** Resume the training that ended early, if it is `resumable`. */
  | { readonly type: 'training/resume' }
  | { readonly type: 'start/curve'; readonly criterion: CriterionName }
  /** Run the command that measures the speed of the checkpoint, its plan and related models; it asks how much. */
  | { readonly type: 'start/speed' }
  /** Heal the plan quickly, without writing a checkpoint, and measure it on the panel's text. */
  | { readonly type: 'start/healed' }
  /** Measure the adapter of this name on the calibration rows. */
  | { readonly type: 'start/retrained'; readonly adapter: string }
  | { readonly type: 'job/cancel'; readonly id: string }
  | {
      readonly type: 'samples/write';
      readonly prompt: string;
      readonly columns: readonly string[];
      readonly settings: WriteSettings;
    }
  /** Go on with the texts that were written last: the next turn of a chat, or more text. */
  | { readonly type: 'samples/reply'; readonly prompt: string; readonly settings: WriteSettings }
  /** Forget the texts that were written last. Their records stay. */
  | { readonly type: 'samples/clear' }
  | { readonly type: 'samples/stop' }
  | { readonly type: 'prompts/keep'; readonly prompt: string }
  | { readonly type: 'prompts/forget'; readonly prompt: string }
  | { readonly type: 'runs/compare'; readonly ids: readonly string[] }
  | { readonly type: 'runs/delete'; readonly ids: readonly string[] }
  | { readonly type: 'runs/open'; readonly id: string }
  | { readonly type: 'runs/report'; readonly ids: readonly string[] }
  | { readonly type: 'runs/card'; readonly ids: readonly string[] }
  /** Make a recipe of these runs and what they need; without any, of those that lead to the plan. */
  | { readonly type: 'runs/recipe'; readonly ids: readonly string[] }
  | { readonly type: 'file/save'; readonly name: string; readonly content: FileContent }
  | { readonly type: 'clipboard'; readonly text: string }
  | { readonly type: 'failure/dismiss' }
  /** Open VS Code's page for workspace trust. */
  | { readonly type: 'trust/manage' }
  /** A bug in the panel, for the log. */
  | { readonly type: 'fault'; readonly message: string };

export type FileContent = { readonly text: string } | { readonly base64: string };
