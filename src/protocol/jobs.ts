/**
 * The long jobs: what each is told, what it tells while it runs, and what it returns. One interface a kind; results
 * mirror what the command of the same name prints with `--json`.
 */
import type { AnyJob, Given, GivenOf } from '../jobs/define';
import type { Defined, EventFor, Kind, ResultFor } from '../jobs/kinds';
import type { compute } from '../jobs/options/compute';
import type { model } from '../jobs/options/model';
import type { sampling } from '../jobs/options/sampling';
import type { Round } from '../engine/importance/choice';
import type { HealResult } from './heal';
import type { Precision } from '../engine/precision';
import type { JsonNumber } from '../format/json';
import type { TextShare } from '../format/text-share';
import type { BosChoice, BosMode } from '../format/bos';
import type { RemovedEntry } from './json';
import type { GeneratedText } from './samples';

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

/** Perplexity, and what it was measured on. */
export interface EvaluateResult {
  readonly ppl: number;
  readonly meanNll: number;
  readonly tokens: number;
  readonly windows: number;
  readonly window: number;
  /** Where the begin-of-text token was; 'given': in rows of ids, which are taken as they are. */
  readonly bos: BosMode | 'given';
  readonly removed: readonly RemovedEntry[];
  /** The text also chose the blocks that were removed, so that the perplexity flatters. */
  readonly calibrated: boolean;
  /**
   * Mean KL divergence from the unpruned model in nats, share of tokens for which both find the same token most likely,
   * and that model; absent if there is nothing to compare.
   */
  readonly kl?: number;
  readonly top1?: number;
  readonly against?: { readonly model: string; readonly identity: string };
  /** Greedy continuations of rows, if they were asked for. */
  readonly repetition?: RepetitionResult;
  readonly precision: Precision;
  readonly seconds: number;
}

/** How much greedy continuations repeat themselves. */
export interface RepetitionResult {
  readonly texts: number;
  /** Mean share of runs of four tokens that occurred earlier in the text; null if all texts are too short. */
  readonly mean: JsonNumber | null;
  /** The same of the unpruned model; null without one. */
  readonly unpruned: JsonNumber | null;
}

/** How to choose tokens: greedily when nothing is given. */
export type SamplingChoice = Omit<Given<typeof sampling>, 'greedy'>;

/** One continuation; several at once are 'samples'. */
export type GenerateSpec = SpecOf<Defined['generate']>;

/** A continuation of a prompt. */
export interface GenerateResult extends GeneratedText {
  readonly promptIds: readonly number[];
  readonly removed: readonly RemovedEntry[];
  readonly precision: Precision;
}

/** A prompt of a file, and its continuation. */
export interface PromptText extends Pick<GeneratedText, 'ids' | 'text' | 'stopped'> {
  readonly prompt: string;
  readonly promptTokens: number;
}

/** Continuations of a file of prompts, in its order. */
export interface PromptsResult {
  readonly texts: readonly PromptText[];
  /** The file that they were written to, absolute; null without one. */
  readonly out: string | null;
  /** Texts side by side. */
  readonly batch: number;
  readonly removed: readonly RemovedEntry[];
  readonly precision: Precision;
  /** New tokens of all texts a second, reading the prompts included. */
  readonly tokensPerSecond: number;
  readonly seconds: number;
}

/** Writes a checkpoint without some blocks. */
export type PruneSpec = SpecOf<Defined['prune']>;

/** A written checkpoint and what it saves. */
export interface WrittenCheckpoint {
  readonly removed: readonly number[];
  readonly kept: readonly number[];
  readonly parametersBefore: number;
  readonly parametersAfter: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Absolute. */
  readonly out: string;
  /** Files that were not copied, and why. */
  readonly leftBehind: readonly { readonly name: string; readonly why: string }[];
  readonly seconds: number;
}

/** A checkpoint without some blocks. */
export interface PruneResult extends Omit<WrittenCheckpoint, 'out'> {
  /** Absolute; null if the blocks were chosen and nothing was written. */
  readonly out: string | null;
  /** The kept blocks as half-open ranges. */
  readonly slices: readonly (readonly [number, number])[];
  /** With several rounds: what each removed, and what was left after healing it. */
  readonly rounds?: readonly Round[];
  /** Of the new checkpoint, if it was healed. */
  readonly healing?: HealResult;
}

/** Corrects a pruned model in closed form. */
export type HealSpec = SpecOf<Defined['heal']>;

/** Removes one, two, three … blocks, and measures each. */
export type CurveSpec = SpecOf<Defined['curve']>;

/** Removes block after block, and heals after each. */
export type IterateSpec = SpecOf<Defined['iterate']>;

/** Writes a checkpoint with an adapter in its weights. */
export type MergeSpec = SpecOf<Defined['merge']>;

/** A checkpoint with an adapter in its weights. */
export interface MergeResult extends WrittenCheckpoint {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly string[];
  /** Blocks with matrices of the adapter. */
  readonly adaptedBlocks: number;
  /** Of the new weights, as files name it; null where each keeps its own. */
  readonly dtype: 'F32' | 'BF16' | 'F16' | null;
}

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
  /** Of 'samples', the column's own times so far, as its SampleText will have them. */
  readonly measured?: Pick<GeneratedText, 'timeToFirstToken' | 'decodeTokensPerSecond'>;
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
