/**
 * The long jobs: what each is told, what it tells while it runs, and what it returns. One interface a kind; results
 * mirror what the command of the same name prints with `--json`.
 */
import type { AnyJob, Given, GivenOf } from '../jobs/define';
import type { Defined, EventFor, Kind, ResultFor } from '../jobs/kinds';
import type { compute } from '../jobs/options/compute';
import type { model } from '../jobs/options/model';
import type { sampling } from '../jobs/options/sampling';
import type { Criterion } from '../engine/importance/criteria';
import type { TextShare } from '../format/text-share';
import type { BosChoice } from '../format/bos';
import type { DraftUse, GeneratedText } from '../jobs/results/generate';

/** Where and how to compute. The device never changes silently: what is asked for is used, or the job fails. */
export type Compute = Given<typeof compute>;

/** A checkpoint, or a view of it, with or without an adapter. */
export type ModelSource = Given<typeof model>;

/** Calibration text and how rows are drawn from it. */
export interface CalibrationSource {
  readonly file: string;
  /** Rows; the paper's 10 when undefined. */
  readonly samples?: number;
  /** Tokens a row; the paper's 128 when undefined. */
  readonly length?: number;
  readonly seed?: number;
  /** The share of the text; all of it when undefined. */
  readonly share?: TextShare;
  /** How rows begin; 'auto' when undefined. */
  readonly bos?: BosChoice;
}

type Left = 'share' | 'bos';

/** The same with nothing left open but a share that is not taken and how rows begin. */
export type CompleteSource = Required<Omit<CalibrationSource, Left>> & Pick<CalibrationSource, Left>;

/** What every job is told besides its options. */
export interface JobBase {
  /**
   * Folders for the run's record: the first that is allowed is made and used. A folder inside a source checkpoint or a
   * Hugging Face cache is not. Without any, no record is kept.
   */
  readonly records?: readonly string[];
}

/** Perplexity of a text, or of calibration rows: the measure of curves and what-ifs. */
export type EvaluateSpec = SpecOf<Defined['eval']>;

/** How to choose tokens: greedily when nothing is given. */
export type SamplingChoice = Omit<Given<typeof sampling>, 'greedy'>;

/** One continuation; several at once are 'samples'. */
export type GenerateSpec = SpecOf<Defined['generate']>;

/** Writes a checkpoint without some blocks. */
export type PruneSpec = SpecOf<Defined['prune']>;

/** How much every block matters. */
export type ScoreSpec = SpecOf<Defined['score']>;

/** Names of the criteria. */
export type CriterionName = Criterion;

/** Trains an adapter on a checkpoint or a view of it, or all of its weights. */
export type RetrainSpec = SpecOf<Defined['retrain']>;

/** A turn of a conversation. Without a chat template it is a piece of one text. */
export interface ChatTurn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** Corrects a pruned model in closed form. */
export type HealSpec = SpecOf<Defined['heal']>;

/** Removes one, two, three … blocks, and measures each. */
export type CurveSpec = SpecOf<Defined['curve']>;

/** Removes block after block, and heals after each. */
export type IterateSpec = SpecOf<Defined['iterate']>;

/** Writes a checkpoint with an adapter in its weights. */
export type MergeSpec = SpecOf<Defined['merge']>;

/** Writes a model for an application. */
export type ExportSpec = SpecOf<Defined['export']>;

/** Compares an exported model with its source. */
export type VerifySpec = SpecOf<Defined['verify']>;

/** A job as it is asked for: its kind, its options, and where the record goes. */
export type SpecOf<J extends AnyJob> = { readonly kind: J['kind'] } & GivenOf<J> & JobBase;

/** Every kind of job, what it is told, tells and returns. */
export type Jobs = {
  readonly [K in Kind]: {
    readonly spec: SpecOf<Defined[K]>;
    readonly result: ResultFor<K>;
    readonly event: EventFor<K>;
  };
};

export type JobKind = keyof Jobs;
export type JobSpec = Jobs[JobKind]['spec'];
export type JobEvent = Jobs[JobKind]['event'];
export type ResultOf<K extends JobKind> = Jobs[K]['result'];
export type EventOf<K extends JobKind> = Jobs[K]['event'];

/** New text of one column; of 'generate' both are 0. */
export interface TextEvent {
  readonly type: 'text';
  readonly prompt: number;
  readonly column: number;
  /** What became certain since the last event; may be empty while a character is incomplete. */
  readonly text: string;
  /** The new tokens. */
  readonly ids: readonly number[];
  /** Of 'samples', the column's own times so far and what its draft did, as its SampleText will have them. */
  readonly measured?: Pick<GeneratedText, 'timeToFirstToken' | 'decodeTokensPerSecond'> & { readonly draft?: DraftUse };
  /** Of 'samples': why this column cannot write; the others go on. */
  readonly failure?: string;
}

/** A finished job. */
export interface JobOutcome<K extends JobKind = JobKind> {
  readonly result: ResultOf<K>;
  /** The run's record on disk, where large things are too (losses of single rows, traces); null when none was kept. */
  readonly record: string | null;
  /** Where it was computed; null where nothing was. */
  readonly device: DeviceInfo | null;
  /** What the user may want to know besides. */
  readonly notes: readonly string[];
  /** What the user must not miss: why the numbers are not what they seem. */
  readonly warnings: readonly string[];
}

/** What computes, and why. */
export interface DeviceInfo {
  readonly provider: string;
  /** Why this one, and why no better one. */
  readonly why: string;
  /** The providers that were looked at: their speed, or what keeps them from being used. */
  readonly tried: readonly { readonly provider: string; readonly gflops?: number; readonly error?: string }[];
  /** What the CPU does with products of 8-bit integers. */
  readonly integers?: string;
}

export type JobState = 'queued' | 'running';

/** A job that waits or runs. */
export interface JobInfo {
  readonly id: string;
  readonly kind: JobKind;
  /** The checkpoint that it reads. */
  readonly checkpoint: string;
  readonly state: JobState;
  /** Where it runs, if not in the sidecar. */
  readonly on?: 'cluster';
  readonly progress?: ProgressInfo;
  /** It waits because there is too little memory beside what runs: what it needs, and what it may take, in bytes. */
  readonly lacks?: { readonly needs: number; readonly may: number };
}

/** How far a job is. */
export interface ProgressInfo {
  /** The step in words. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Plural: "row-blocks", "tokens", "bytes"; "share" of 1 where the job has several phases. */
  readonly unit: string;
  /** Of late; undefined while too little was done to tell. */
  readonly perSecond?: number;
  readonly secondsLeft?: number;
}
