/** Scoring, and the curve of perplexity against removed blocks. */
import type { TextShare } from '../format/text-share';
import type { BosMode } from '../format/bos';
import type { Criterion } from '../engine/importance/criteria';
import type { Precision, RunPrecision } from '../engine/precision';
import type { Objective } from '../engine/importance/objective';
import type { score } from '../jobs/definitions/score';
import type { SpecOf } from './jobs';
import type { JsonNumber } from '../format/json';
import type { RemovedEntry } from './json';

/** Names of the criteria. */
export type CriterionName = Criterion;

/** How much every block matters. */
export type ScoreSpec = SpecOf<typeof score>;

/** The score of a block. */
export interface BlockScoreInfo {
  readonly index: number;
  readonly score: JsonNumber;
  /** Of ppl and kl: the model without the part. */
  readonly ppl?: JsonNumber;
  readonly meanNll?: JsonNumber;
  /** Of kl: the same as the score. */
  readonly kl?: JsonNumber;
  /** Of ppl and kl: a 95 % bootstrap interval of the score. */
  readonly low?: JsonNumber;
  readonly high?: JsonNumber;
  /** Of ppl and kl: a 95 % interval of what the part costs, beside the whole model over the same rows. */
  readonly pairedLow?: JsonNumber;
  readonly pairedHigh?: JsonNumber;
  /** Of ppl and kl: the same, but 95 % for all parts at once: one without the whole model's number is told from noise. */
  readonly jointLow?: JsonNumber;
  readonly jointHigh?: JsonNumber;
  /** Of ppl and kl: the arithmetic of these numbers. */
  readonly precision?: Precision;
  /** Of a screened part: how far its mean loss, or divergence, in float32 may be from this one, in nats. */
  readonly margin?: JsonNumber;
}

/** The score of the attention or the FFN of a block. */
export interface ModuleScoreInfo extends Omit<BlockScoreInfo, 'index'> {
  readonly block: number;
  readonly part: 'attention' | 'ffn';
}

/** The text of a calibration as records name it. */
export interface CalibrationInfo {
  readonly source: string;
  readonly sha256: string;
  readonly samples: number;
  readonly length: number;
  readonly seed: number;
  /** The share of the text that the rows are from; all of it when undefined. */
  readonly share?: TextShare;
  readonly method: 'documents' | 'windows' | 'rows';
  /** Where the begin-of-text token is; undefined for rows of ids. */
  readonly bos?: BosMode;
}

/** Which fields there are depends on the criterion. The losses of single rows are in the record. */
export interface ScoreResult {
  readonly criterion: CriterionName;
  readonly model: { readonly name: string; readonly path: string; readonly identity: string };
  readonly removed?: readonly RemovedEntry[];
  readonly adapter?: { readonly name: string; readonly sha256?: string };
  /** Healed weights. */
  readonly patch?: { readonly name: string; readonly sha256?: string };
  /** The model with nothing removed, where it was measured. */
  readonly full: {
    readonly ppl: JsonNumber;
    readonly meanNll: JsonNumber;
    /** Divergence from the unpruned model; of criteria that measure it. */
    readonly kl?: JsonNumber;
    readonly tokens: number;
  } | null;
  /**
   * Only where the whole model does not fit the text, so that the scores mean little: the perplexity of the first rows, that of
   * the same tokens with a begin-of-text token before each row or without it, and what would be beyond reason.
   */
  readonly unfit?: {
    readonly rows: number;
    readonly ppl: number;
    readonly other?: { readonly begins: boolean; readonly ppl: number };
    readonly limit: number;
  };
  readonly blocks?: readonly BlockScoreInfo[];
  readonly modules?: readonly ModuleScoreInfo[];
  /** From least to most important. */
  readonly order?: readonly number[] | readonly { readonly block: number; readonly part: 'attention' | 'ffn' }[];
  /** Of angular: runs of blocks that go together. */
  readonly windows?: readonly { readonly start: number; readonly size: number; readonly score: JsonNumber }[];
  /** Of criteria that remove in turn: in the order of removal. */
  readonly removals?: readonly {
    readonly block: number;
    readonly meanNll: JsonNumber;
    readonly ppl: JsonNumber;
    readonly kl?: JsonNumber;
  }[];
  /** Of greedy: what the removals keep low. */
  readonly objective?: Objective;
  /** Of search: the set, ascending, where it started, and the divergence of the best set after each generation. */
  readonly search?: {
    readonly blocks: readonly number[];
    readonly kl: JsonNumber;
    readonly meanNll: JsonNumber;
    readonly ppl: JsonNumber;
    readonly start: { readonly blocks: readonly number[]; readonly kl: JsonNumber; readonly meanNll: JsonNumber };
    readonly trajectory: readonly { readonly generation: number; readonly kl: JsonNumber }[];
    readonly sets: number;
    readonly seconds: number;
    readonly ended: 'time' | 'generations' | 'cancelled' | 'exhausted';
  };
  /**
   * Where the model was screened: the least important parts are certain and in float32, the others are ordered behind
   * them by the screen.
   */
  readonly screen?: {
    readonly precision: Precision;
    /** How many are certain. */
    readonly exact: number;
    /** How many were computed in float32. */
    readonly confirmed: number;
    /** Measured bound of the screen's error near the exact part, in nats; absent if it is not known. */
    readonly margin?: JsonNumber;
  };
  /** Of taylor: what each block's score is the sum of. */
  readonly tensors?: readonly { readonly block: number; readonly name: string; readonly score: JsonNumber }[];
  /** Of taylor, where hidden states went to a temporary file: its size. */
  readonly temporaryBytes?: number;
  /** Of block-influence and angular, where there are any: hidden states of zeros. */
  readonly zeroStates?: number;
  readonly calibration: CalibrationInfo | null;
  /** Where a limit of the divergence was given. */
  readonly within?: WithinInfo;
  /** Where shares were given: what makes them up. */
  readonly shares?: readonly ShareInfo[];
  readonly seconds: number;
  readonly device: string;
  /** `mixed`: parts say their own. Absent for criteria that need no device. */
  readonly precision?: RunPrecision;
  readonly peakRssBytes: number;
}

/** The least important parts that are at most a share of all parameters. */
export interface ShareInfo {
  readonly ratio: number;
  readonly removed: readonly RemovedEntry[];
  /** What is left. */
  readonly parameters: number;
}

/** The model without so many blocks. */
export interface CurvePointInfo {
  readonly count: number;
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  readonly ppl: JsonNumber;
  readonly meanNll: JsonNumber;
  /** What is left. */
  readonly parameters: number;
  /** Of the measure kl: mean divergence from the unpruned model in nats, and how often both agree. */
  readonly kl?: JsonNumber;
  readonly top1?: JsonNumber;
  /** Of the measure tasks: the average accuracy, and its difference to the first point on the same items. */
  readonly accuracy?: JsonNumber;
  readonly difference?: { readonly difference: JsonNumber; readonly interval: JsonNumber | null };
  /** The reported metric of each task. */
  readonly tasks?: readonly { readonly name: string; readonly accuracy: JsonNumber }[];
}

/** As many blocks as keep the divergence under a limit. */
export interface WithinInfo {
  readonly maxKl: number;
  readonly count: number;
  readonly removed: readonly number[];
  readonly kl: JsonNumber;
}

/** Perplexity against the number of removed blocks. */
export interface CurveResult {
  readonly criterion: CriterionName;
  readonly model: { readonly name: string; readonly path: string; readonly identity: string };
  readonly points: readonly CurvePointInfo[];
  /** Where a limit was given. */
  readonly within?: WithinInfo;
  /** What perplexity was measured on. */
  readonly text: { readonly name: string; readonly sha256: string; readonly rows: number; readonly length: number };
  /** Of the whole model, those that are read for a token. */
  readonly parametersRead: number;
  readonly seconds: number;
  readonly device: string;
  readonly precision: Precision;
}
