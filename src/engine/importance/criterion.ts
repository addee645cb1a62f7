/** Definition of a criterion: its texts for lists and help, its cost for estimates, and its scoring. */
import type { TextShare } from '../../format/text-share';
import type { BosChoice } from '../../format/bos';
import type { Architecture } from '../checkpoint/architecture';
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { Step, View } from '../model/view';
import type { CuttableWork, Share } from '../parts/split';
import type { Filled, Table } from '../parts/table';
import type { Precision } from '../precision';
import type { JobOptions } from '../progress';
import type { WeightSource } from '../weights/source';
import type { Scope, StepCost } from './cost';
import type { Objective } from './objective';
import type { ScorePrecision } from './arithmetic';
import type { ModuleCost } from './module-cost';
import type { Race } from './raced-sweep';
import type { CriterionResult } from './result';
import type { Screening } from './screened-sweep';

/**
 * A criterion in the list (criteria.ts). It has only data and arithmetic, so showing it loads no code that computes.
 */
export interface CriterionInfo {
  /** Name on the command line and in records; its file in the folder "criteria" has the same name. */
  readonly name: string;
  /** Name in lists and charts. */
  readonly title: string;
  /** What its score is, in one line of the help and of the editor's lists. */
  readonly help: string;
  /** The paper that published it, and the name of its method where it has one. */
  readonly paper?: { readonly authors: string; readonly name?: string };
  /**
   * Its input: "text" if it runs the model over calibration rows, "weights" if it reads the stored weights. An adapter
   * does not change the stored weights.
   */
  readonly reads: readonly ('text' | 'weights')[];
  /**
   * What it keeps lowest, if it measures what is left: the loss of the text, or the divergence from the unpruned model.
   * The first is the default; where there are several, the option chooses.
   */
  readonly objectives?: readonly Objective[];
  /**
   * It removes one block after another, each on top of the earlier ones. So it needs a count, and never tries kept
   * blocks.
   */
  readonly inTurn?: true;
  /** It chooses a set of blocks as a whole. So it needs a count too, and never tries kept blocks. */
  readonly asSet?: true;
  /** It heals what it measures, in closed form; not every family can be. */
  readonly heals?: true;
  /** It can score attention and FFN separately. */
  readonly modules?: true;
  /**
   * It measures models without a part of it over the same rows, so a screen in a lower precision can tell which ones matter, and those
   * that are out of the question need not read all rows.
   */
  readonly screens?: true;
  /** Its work can be cut into parts that need nothing of each other. */
  readonly cut?: true;
  /** The kind of its work; estimates compare runs of one kind. */
  readonly effort: 'products' | 'gradients' | 'reading' | 'none';
  /** Applications of a block for each calibration row, each with its cost; undefined if it does not run the model. */
  readonly work?: (architecture: Architecture, scope: Scope, cost: StepCost) => number;
  /** Seconds that it takes in addition, unless its settings say otherwise. */
  readonly seconds?: number;
}

/** Scoring settings. A criterion ignores the settings of the others. */
export interface CriterionSettings {
  /** Path of the calibration text. */
  readonly calibration?: string;
  /** Rows, tokens per row, and the sampling seed, as in `CalibrationOptions`. */
  readonly samples?: number;
  readonly length?: number;
  readonly seed: number;
  readonly share?: TextShare;
  /** How rows begin, as in `CalibrationOptions`. */
  readonly bos?: BosChoice;
  /** Only for magnitude. */
  readonly norm: 'l1' | 'l2';
  readonly reduction: 'sum' | 'mean' | 'max' | 'product';
  /** Only for greedy; ppl when undefined. */
  readonly objective?: Objective;
  /** Only for search: seconds after the greedy start, and the largest number of generations. */
  readonly budget?: number;
  readonly generations?: number;
  /** float32 when undefined; criteria that cannot be screened take no other one. */
  readonly precision?: ScorePrecision;
  /** Whether parts that are out of the question are measured on fewer rows (race.ts); they are not when undefined. */
  readonly race?: boolean;
  /** How sure that must be; where it is given, there is a race even if it saves little. */
  readonly confidence?: number;
}

/** The scored part of the model, and limits. */
export interface ScoringScope extends Scope {
  /** The whole model when undefined. */
  readonly view?: View;
  /** Of modules that go in turn: what choosing economizes on; bytes when undefined. */
  readonly cost?: ModuleCost;
  /** Of modules that go in turn or as a set: at most so many parameters go, in place of what `count` blocks save. */
  readonly parameters?: number;
  /** Of modules that go in turn by divergence: they go as long as it stays below this, in nats. */
  readonly maxKl?: number;
  /** `exact` is the user's number, so there is a screen even where it saves little. */
  readonly isExactAsked?: boolean;
  /**
   * The model whose whole is what divergences are measured from, if it is not the scored model: the same checkpoint
   * without changes of its weights.
   */
  readonly teacher?: Model;
  /** A screen, which leaves only what matters to the model's own precision; only for criteria that can be screened. */
  readonly screening?: Screening;
  /** Leaves out rows of parts that are out of the question; only for criteria that can be raced. */
  readonly race?: Race;
}

/**
 * Scores a model over calibration rows, all of one length.
 * @throws UserError, CancelledError
 */
export type ScoreRows = (
  model: Model,
  rows: TokenRows,
  scope: ScoringScope & Pick<CriterionSettings, 'seed' | 'budget' | 'generations'>,
  job: JobOptions,
) => Promise<CriterionResult>;

/** Scores that need no text. */
export interface StoredScores {
  readonly blocks: readonly { readonly index: number; readonly score: number }[];
  /** The settings that it used, for the record. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The terms of the blocks' scores if these are sums: tensors by full name. */
  readonly tensors?: readonly { readonly name: string; readonly score: number }[];
}

/** Scores every block without running the model. @throws UserError, CancelledError */
export type ScoreStored = (
  weights: WeightSource,
  settings: Pick<CriterionSettings, 'norm' | 'reduction'>,
  job: JobOptions,
) => Promise<StoredScores>;

/**
 * What the numbers of a criterion mean, without the model: the same for all parts of a run, and with the table enough for
 * the result.
 */
export interface ScoreFrame {
  /** The blocks of the view, or the modules of these. */
  readonly steps: readonly Step[];
  readonly granularity: 'block' | 'module';
  /** Calibration rows, and tokens per row; 0 for a criterion that needs no text. */
  readonly rows: number;
  readonly length: number;
  readonly seed: number;
  /** The arithmetic of the numbers; undefined when no session was needed. */
  readonly precision?: Precision;
}

/** A criterion whose work can be cut into parts that need nothing of each other. */
export interface CriterionParts {
  /** Its numbers are of all rows together, or of none: the table has one row. */
  readonly oneRow?: true;
  readonly work: (architecture: Architecture, frame: ScoreFrame) => CuttableWork;
  /** Fills its share of the table, of a model over rows. @throws UserError, CancelledError */
  readonly measureRows?: (
    model: Model,
    rows: TokenRows,
    frame: ScoreFrame,
    share: Share,
    scope: Pick<ScoringScope, 'view' | 'teacher'>,
    job: JobOptions,
  ) => Promise<Filled[]>;
  /** The same from stored weights. */
  readonly measureStored?: (
    weights: WeightSource,
    frame: ScoreFrame,
    share: Share,
    settings: Pick<CriterionSettings, 'norm' | 'reduction'>,
    job: JobOptions,
  ) => Promise<Filled[]>;
  /** Why scores are not finite, where the table tells; undefined where it does not. */
  readonly cause?: (table: Table, frame: ScoreFrame) => string | undefined;
  /** What the criterion itself gives, to the last bit. @throws TableFault */
  readonly result: (table: Table, frame: ScoreFrame) => CriterionResult;
}

/** The export of a criterion's file: one of the first two. */
export interface CriterionModule {
  readonly scoreRows?: ScoreRows;
  readonly scoreStored?: ScoreStored;
  /** Undefined where one number depends on another: blocks that go in turn, or a search. */
  readonly parts?: CriterionParts;
}
