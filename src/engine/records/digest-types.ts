/** A record, reduced to the data of charts, tables and reports. Plain data that can be sent to the panel. */
import type { TextShare } from '../../format/text-share';
import type { JsonNumber } from '../../format/json';
import type { OnTop } from '../../format/on-top';
import type { DraftDigest } from './draft-digest';
import type { FrontierDigest } from './frontier-digest';

export type * from './draft-digest';
export type * from './frontier-digest';

/** A run of any kind; parts that the run lacks are undefined. */
export interface RunDigest extends OnTop {
  /** "score", "curve", "retrain", "eval", "samples" … */
  readonly kind: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly finished: string;
  readonly model: { readonly name: string; readonly identity?: string };
  /** Blocks and modules left out of the model. */
  readonly removed: readonly (number | string)[];
  /** The execution provider; null if nothing was computed. */
  readonly device: string | null;
  /** float32, float16, bfloat16, int8, int4, or `mixed` where single numbers say their own; null if nothing was computed. */
  readonly precision?: string | null;
  readonly inputs: readonly {
    readonly role: string;
    readonly name: string;
    readonly hash?: string;
    /** Of a text: the share that was read; all of it when undefined. */
    readonly share?: TextShare;
  }[];
  /** Name and value in words, nested ones with dots: "calibration.samples". */
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly versions: string;
  readonly score?: ScoreDigest;
  readonly curve?: CurveDigest;
  readonly training?: TrainingDigest;
  /** Of healing, or of pruning with healing. */
  readonly heal?: HealDigest;
  readonly quality?: readonly QualityDigest[];
  /** Trained and healed models, measured on a text that curves also use. */
  readonly retrained?: readonly RetrainedDigest[];
  readonly cost?: readonly CostDigest[];
  readonly grid?: GridDigest;
  readonly samples?: SamplesDigest;
  readonly tasks?: TasksDigest;
  /** Of pruning block after block. */
  readonly iterative?: IterativeDigest;
  /** Of pruning in width. */
  readonly narrower?: NarrowerDigest;
  /** Of comparing depth and width. */
  readonly versus?: VersusDigest;
  /** Of measuring sizes against perplexity. */
  readonly frontier?: FrontierDigest;
  /** Of trimming a vocabulary, or of the report on what that would do. */
  readonly vocabulary?: VocabularyDigest;
  readonly experts?: ExpertsDigest;
  /** Of a forecast of speculative decoding. */
  readonly draft?: DraftDigest;
  /** Of exports and verifications. */
  readonly ran?: RanDigest;
  /** Of an export: the name of its file or folder. */
  readonly exported?: string;
}

/** What every expert is worth, and which ones stay. */
export interface ExpertsDigest {
  /** "reap" */
  readonly criterion: string;
  /** Experts of a block, those that stay, and those of a token. */
  readonly before: number;
  readonly after: number;
  readonly perToken: number;
  /** Experts without any token. */
  readonly unrouted: number;
  /** Blocks that are left out too. */
  readonly removed: readonly number[];
  readonly parameters: BeforeAfterDigest;
  /** A number for each expert; NaN for one that is none. */
  readonly blocks: readonly {
    readonly index: number;
    readonly scores: readonly number[];
    readonly tokens: readonly number[];
    readonly kept: readonly number[];
  }[];
  /** Factors of kept experts: whether they have them, and the KL divergence on rows that were not fitted. */
  readonly rescale?: { readonly applied: boolean; readonly without: JsonNumber; readonly with: JsonNumber };
  /** Name of the text that was routed. */
  readonly text?: string;
  /** Mean loss of a token; undefined if it was not measured. */
  readonly loss?: {
    readonly before: JsonNumber;
    readonly after: JsonNumber;
    readonly kl?: JsonNumber;
    readonly text?: string;
  };
  readonly bytesAfter?: number;
  /** Name of the folder of the model with fewer experts. */
  readonly written?: string;
}

/** Which tokens of a model stay, what that saves, and what it costs on text that was not counted. */
export interface VocabularyDigest {
  /** Tokens of the original, and those that stay. */
  readonly size: number;
  readonly kept: number;
  /** The least count of a token that stays for its count. */
  readonly min: number;
  /** Of the original and of the trimmed model. */
  readonly parameters: BeforeAfterDigest;
  readonly bytes: BeforeAfterDigest;
  /** So many blocks of the model have as many parameters as went; undefined in records that do not tell. */
  readonly asBlocks?: { readonly count: number; readonly of: number };
  /** What was counted. */
  readonly texts: { readonly files: number; readonly tokens: number };
  readonly heldOut: {
    /** Name of the text; undefined where pieces of the counted texts were held out. */
    readonly file?: string;
    readonly pieces: number;
    readonly covered: number;
    /** Share of its tokens that stay, and how many times as many it then has. */
    readonly coverage: number | null;
    readonly growth: number | null;
    /** Bits per byte of the text; undefined if they were not measured. `growth` is a share. */
    readonly bits?: { readonly before: JsonNumber; readonly after: JsonNumber; readonly growth?: JsonNumber };
    /** Predicted tokens of the original that these are of. */
    readonly tokens?: number;
    /** Mean probability that the original gives tokens that go. */
    readonly outsideMass?: JsonNumber;
  };
  /** Words of the held-out text that suffer most. */
  readonly words: readonly {
    readonly text: string;
    readonly before: number;
    readonly after: number;
    readonly count: number;
  }[];
  /** How many tokens occur `from` to `to` times. */
  readonly counts: readonly { readonly from: number; readonly to: number; readonly tokens: number }[];
  /** What least counts come to, ascending; empty where a model was written. */
  readonly rows: readonly VocabularyRowDigest[];
  /** Why it is not worth it here. */
  readonly advice?: string;
  /** Name of the file or folder of the trimmed model. */
  readonly written?: string;
}

export interface VocabularyRowDigest {
  readonly min: number;
  readonly kept: number;
  readonly parameters: number;
  /** Share of the held-out tokens that stay. */
  readonly coverage: number | null;
  /** How many times as many tokens the held-out text has; null where it was not encoded. */
  readonly growth: number | null;
}

interface BeforeAfterDigest {
  readonly before: number;
  readonly after: number;
}

/** Programs that ran a written file. */
export interface RanDigest {
  /** Name of the file or folder. */
  readonly file: string;
  readonly programs: readonly {
    /** With its version, if that is known. */
    readonly name: string;
    /** Kind of an ONNX model; "gguf". */
    readonly of: string;
    /** Tokens that were compared, and how many were the same before the first other one. */
    readonly tokens?: number;
    readonly same?: number;
    readonly failed?: true;
  }[];
}

/** What pruning in width kept. */
export interface NarrowerDigest {
  /** "flap". */
  readonly method: string;
  readonly ratio: number | null;
  /** Mean token loss and perplexity of the narrower model on the rows that it was calibrated with. */
  readonly meanNll?: JsonNumber;
  readonly ppl?: JsonNumber;
  /** Numbers of kept groups of heads and neurons, of every block. */
  readonly layers: readonly { readonly groups: number; readonly neurons: number }[];
}

export interface ScoreDigest {
  readonly criterion: string;
  /** Perplexity of the whole model, if the scores are perplexities. */
  readonly full?: JsonNumber;
  /** KL divergence of the scored model from the unpruned one, if the scores are divergences. */
  readonly fullKl?: JsonNumber;
  /** Like a curve's; undefined for criteria without a text. */
  readonly rowsKey?: string;
  /** Name of that text. */
  readonly text?: string;
  /** Blocks in the order of removal, if the criterion removes them in turn. */
  readonly removals?: readonly number[];
  /** The set of a search, ascending, and its KL divergence from the unpruned model in nats. */
  readonly set?: { readonly blocks: readonly number[]; readonly kl?: JsonNumber };
  /** Scores of single blocks; empty for criteria that score runs or sequences. */
  readonly blocks: readonly {
    readonly index: number;
    readonly score: JsonNumber;
    /** Only ppl and kl: a 95 % bootstrap interval of the score over texts. */
    readonly low?: JsonNumber;
    readonly high?: JsonNumber;
    /** Only ppl and kl: a 95 % interval paired with the whole model over the same rows; undefined if the record has none. */
    readonly pairedLow?: JsonNumber;
    readonly pairedHigh?: JsonNumber;
    /** Only with these: a 95 % interval that holds for all blocks at once (joint-interval.ts). */
    readonly jointLow?: JsonNumber;
    readonly jointHigh?: JsonNumber;
    /** Only of a block that was screened in a lower precision: how far off its mean loss may be, in nats. */
    readonly margin?: JsonNumber;
    /** Only of a block that dropped out of a race: rows it was measured on. */
    readonly readRows?: number;
  }[];
  /** How many of the least important blocks are those of all rows, where others dropped out, and how sure that is. */
  readonly race?: { readonly wanted: number; readonly confidence: number };
  /** The arithmetic of the scores; `mixed` if some blocks were only screened. */
  readonly precision?: string;
  /** How many of the least important blocks are certain behind a screen, and its error near them in nats. */
  readonly screen?: { readonly exact: number; readonly margin?: JsonNumber };
  /**
   * The whole model does not fit the text: its perplexity on the first rows, and that of the same tokens with a begin-of-text token
   * before each row, or without one.
   */
  readonly unfit?: {
    readonly ppl: number;
    readonly limit: number;
    readonly other?: { readonly begins: boolean; readonly ppl: number };
  };
}

export interface CurveDigest {
  readonly criterion: string;
  /** Name of the text that perplexity was measured on. */
  readonly text: string;
  /**
   * Identifies the measured rows (records/rows-key.ts). Perplexities are comparable if it is equal. Undefined if the
   * record does not tell.
   */
  readonly rowsKey?: string;
  /** Parameters of the whole model that are read for one token (PanelModel); undefined if the record does not tell. */
  readonly parametersRead?: number;
  readonly points: readonly {
    readonly count: number;
    readonly removed: readonly number[];
    readonly ppl: JsonNumber;
    readonly parameters: number;
    /** Divergence from the unpruned model in nats, and average accuracy in tasks, if the curve measured them. */
    readonly kl?: JsonNumber;
    readonly accuracy?: JsonNumber;
  }[];
}

export interface TrainingDigest {
  /** Folder of the adapter or checkpoint, by name. */
  readonly output?: string;
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
  /** Perplexity of the unpruned model on the same held-out part; undefined if it was not measured. */
  readonly unpruned?: JsonNumber;
  /** How near the model was to the unpruned one on held-out tokens; undefined if it was not compared. */
  readonly likeness?: { readonly before: ComparedDigest; readonly after: ComparedDigest };
}

export interface TrainingStep {
  readonly step: number;
  readonly loss: JsonNumber;
  readonly learningRate: number;
  readonly tokensPerSecond: number;
}

/** An evaluation on the held-out part. */
export interface TrainingEvaluation {
  readonly step: number;
  readonly ppl: JsonNumber;
}

/** Correction of a pruned model in closed form. */
export interface HealDigest {
  /** "refit", "fold", "scalar". */
  readonly method: string;
  /** "auto" or a number in words; undefined: the method's rule. */
  readonly ridge?: string;
  /** Tokens that were fitted. */
  readonly tokens: number | null;
  /** Name of the text. */
  readonly text?: string;
  /** Blocks and modules left out. */
  readonly removed: readonly (number | string)[];
  /** Whether the healed or the plain weights were kept; undefined if unknown. */
  readonly weights?: 'healed' | 'plain';
  /** On the fitted rows, and on others; undefined if not measured. */
  readonly fit?: HealStagesDigest;
  readonly heldOut?: HealStagesDigest;
  /** In the order of the walk. */
  readonly steps: readonly HealStepDigest[];
  readonly seconds: number | null;
  /** Seconds of it in which the model wrote its text. */
  readonly writingSeconds: number | null;
}

/** The pruned model before healing, after it, and after rounding to the stored type. */
export interface HealStagesDigest {
  readonly rows: number | null;
  readonly before: LikenessDigest;
  readonly after: LikenessDigest;
  readonly rounded?: LikenessDigest;
}

/** How near a model is to the whole one. */
export interface LikenessDigest {
  readonly ppl: JsonNumber;
  /** Mean KL divergence from the whole model, in nats. */
  readonly kl: JsonNumber;
  /** Share of positions with the same most likely token. */
  readonly top1: JsonNumber;
}

/** Pruning block after block, with healing in between. Everything is measured on the same rows. */
export interface IterativeDigest {
  /** "lora", "full", "refit" …, "none". */
  readonly method: string;
  readonly criterion: string;
  /** Name of the measured text, and its rows. */
  readonly text: string;
  readonly rows: number | null;
  /** The unpruned model. */
  readonly full: LikenessDigest;
  readonly rounds: readonly (HealedPointDigest & {
    readonly round: number;
    readonly block: number;
    readonly accuracy?: number;
    readonly probeLoss?: number;
  })[];
  /** The original weights without the blocks of the first 1, 2, … rounds. */
  readonly plain: readonly LikenessDigest[];
  /** So many blocks removed at once, healed as long as the rounds; empty without a comparison. */
  readonly oneShot: readonly (HealedPointDigest & { readonly count: number })[];
}

/** A model before and after healing. */
export interface HealedPointDigest {
  readonly removed: readonly number[];
  readonly pruned: LikenessDigest;
  readonly healed: LikenessDigest;
  /** Seconds and steps of training. */
  readonly seconds: number | null;
  readonly steps: number | null;
  /** What healing brought back for each second: nats, and the share of what was missing. */
  readonly nllPerSecond: number | null;
  readonly sharePerSecond: number | null;
}

export interface HealStepDigest {
  readonly block: number;
  /** "o_proj", "down_proj". */
  readonly tensor: string;
  /** What is left out right after it. */
  readonly removed: readonly (number | string)[];
  /** Squared distance of the stream from the whole model's, before and after; undefined for scalar. */
  readonly errorBefore?: JsonNumber;
  readonly errorAfter?: JsonNumber;
  /** Null: chosen among several, and none helped. */
  readonly ridge?: number | null;
  /** Only scalar: the factor. */
  readonly factor?: number;
}

/** How near a model is to the unpruned one on the same tokens; undefined if it was not compared. */
export interface ComparedDigest {
  /** Mean KL divergence from the unpruned model in nats, and share of tokens that both find most likely. */
  readonly kl?: JsonNumber;
  readonly top1?: JsonNumber;
  /** The unpruned model. */
  readonly against?: { readonly model: string; readonly identity?: string };
}

export interface QualityDigest extends ComparedDigest {
  readonly label: string;
  readonly ppl: JsonNumber;
  /** Bits for each byte of the text; undefined for rows of ids, and in records that do not tell. */
  readonly bitsPerByte?: JsonNumber;
  /** Tokens of the model's vocabulary; undefined in records that do not tell. */
  readonly vocabulary?: number;
  readonly tokens?: number;
  /** Mean share of repeated runs of four tokens in greedy continuations of the text, and the unpruned model's. */
  readonly repetition?: JsonNumber;
  readonly unprunedRepetition?: JsonNumber;
  /** Name of the text. */
  readonly text?: string;
  /** Like a curve's. */
  readonly rowsKey?: string;
}

/** Perplexity after retraining or healing. */
export interface RetrainedDigest extends ComparedDigest {
  readonly label: string;
  /** Healed in closed form, without training. */
  readonly healed?: true;
  /** Removed blocks. */
  readonly removed: readonly number[];
  readonly ppl: JsonNumber;
  /** Name of the text. */
  readonly text: string;
  /** Like a curve's. */
  readonly rowsKey?: string;
}

/** Costs of a model; null if not measured. */
export interface CostDigest {
  /** Of its speeds; undefined: that of the run. */
  readonly precision?: string;
  readonly label: string;
  readonly parameters: number | null;
  readonly bytes: number | null;
  readonly prefillTokensPerSecond: number | null;
  readonly decodeTokensPerSecond: number | null;
  readonly peakRssBytes: number | null;
  /**
   * How the speeds were measured: in turns with the other models of this run after a warm-up, so that they are
   * comparable; alone; or once while it wrote a text, without warm-up. Undefined without speeds.
   */
  readonly speed?: 'turns' | 'alone' | 'writing';
  /** Minimum and maximum over all turns. */
  readonly prefillRange?: readonly [low: number, high: number];
  readonly decodeRange?: readonly [low: number, high: number];
  /** The model, if the record tells, because the same label means different models in different panels. */
  readonly of?: OnTop & {
    readonly model: string;
    readonly identity: string;
    readonly removed: readonly (number | string)[];
  };
}

/** Speed and memory over batches and lengths. */
export interface GridDigest {
  /** Texts side by side, and new tokens of each, ascending. */
  readonly batches: readonly number[];
  readonly newTokens: readonly number[];
  /** Measured runs of a cell, and those before them that did not count. */
  readonly runs: number;
  readonly warmup: number;
  /** The models took turns, run by run. */
  readonly inTurns: boolean;
  readonly limitBytes: number | null;
  /** What the texts began with, in words. */
  readonly prompt: string;
  /** The first one is what others are compared with. */
  readonly models: readonly GridModelDigest[];
}

export interface GridModelDigest extends Pick<CostDigest, 'of'> {
  readonly label: string;
  /** The speed-up by blocks alone; null for the first model. */
  readonly ideal: number | null;
  readonly failure?: string;
  readonly cells: readonly GridCellDigest[];
}

export interface GridCellDigest {
  readonly batch: number;
  readonly newTokens: number;
  readonly predictedBytes: number;
  /** oom: not run, because the prediction exceeded the limit. */
  readonly outcome: 'measured' | 'oom' | 'failed';
  readonly failure?: string;
  /** Seconds, tokens a second, bytes and shares; null where not measured. */
  readonly measured?: Readonly<
    Record<
      'latency' | 'throughput' | 'firstToken' | 'laterToken' | 'peakBytes',
      { readonly mean: number | null; readonly sd: number | null }
    > &
      Record<'busy' | 'compute' | 'bandwidth' | 'speedUp' | 'floorSpeedUp', number | null>
  >;
}

export interface SamplesDigest {
  /** The chat template formatted the prompts. */
  readonly chat?: true;
  /** The system message of the chat. */
  readonly system?: string;
  /** For each column, the turns before the prompt, oldest first. */
  readonly earlier?: readonly (readonly { readonly role: 'user' | 'assistant'; readonly content: string }[])[];
  readonly prompts: readonly string[];
  readonly columns: readonly string[];
  readonly texts: readonly {
    /** Indices into prompts and columns. */
    readonly prompt: number;
    readonly column: number;
    readonly text: string;
    readonly tokens: number;
    readonly timeToFirstToken: number | null;
    readonly tokensPerSecond: number | null;
    /** Share of repeated runs of four tokens; null if the text is too short. */
    readonly repetition: number | null;
    /** A draft that proposed tokens: times are with it. */
    readonly draft?: DraftedDigest;
    /** Why the text ended: "eos", "length", "context", "cancelled", "failed". */
    readonly stopped: string;
    /** Why it failed. */
    readonly failure?: string;
  }[];
}

/** What a draft did for a text. */
export interface DraftedDigest {
  /** "int4", "int8", the blocks that it lacks, or the name of a model. */
  readonly model: string;
  /** Tokens that it proposed, and those of them that stayed. */
  readonly drafted: number;
  readonly accepted: number;
}

/** What a model scores in a probe. */
export interface ProbeDigest {
  readonly name: string;
  readonly items: number;
  readonly score: number | null;
  readonly stderr: number | null;
  /** It is better than one that guesses. */
  readonly able: boolean;
  /** Identifies the questions and how they begin: scores are comparable if it is equal. */
  readonly key: string;
}

/** Of a further model to the first one. */
export type ProbeLossDigest = PairedDigest;

/** Two models on the same questions. */
interface PairedDigest {
  readonly name: string;
  readonly difference: number | null;
  readonly interval: number | null;
  /** Items that only the first model has right, and only this one. */
  readonly lost: number;
  readonly gained: number;
  /** McNemar's exact test. */
  readonly pValue: number | null;
  /** Items with different answers. */
  readonly differing: number;
}

/** Accuracies in tasks. Shares, not per cent. */
export interface TasksDigest {
  /** Identifies the items: accuracies are comparable if it is equal. */
  readonly itemsKey: string;
  /** The first record of each file, and most records of it; null is all. */
  readonly from: number;
  readonly limit: number | null;
  /** Names of the tasks' files. */
  readonly files: readonly string[];
  readonly models: readonly (OnTop & {
    readonly label: string;
    readonly model: string;
    readonly identity?: string;
    readonly removed: readonly (number | string)[];
    /** Mean of the tasks' values. */
    readonly average: number | null;
    readonly tasks: readonly {
      readonly name: string;
      readonly items: number;
      /** The metric that counts, its value and standard error. */
      readonly metric: 'acc' | 'accNorm';
      readonly value: number | null;
      readonly stderr: number | null;
      readonly acc: number | null;
      readonly accNorm: number | null;
    }[];
    /** Scores in probes; absent where none was asked for. */
    readonly probes?: readonly ProbeDigest[];
  })[];
  /** Of each further model to the first; an interval is half of the 95 % interval. */
  readonly differences: readonly {
    readonly label: string;
    readonly average: { readonly difference: number | null; readonly interval: number | null };
    readonly probes?: readonly ProbeLossDigest[];
    readonly tasks: readonly PairedDigest[];
  }[];
  /** Some items on which models differ. */
  readonly questions: readonly {
    readonly task: string;
    readonly item: number;
    readonly context: string;
    /** Choices; for a written answer what is expected. */
    readonly choices: readonly string[];
    /** Number of the right choice; null for a written answer. */
    readonly gold: number | null;
    /** Of each model: number of its choice, or its text. */
    readonly answers: readonly (number | { readonly text: string; readonly correct: boolean } | null)[];
  }[];
}

/** Depth against width: models of equal sizes, made in both ways. */
export interface VersusDigest {
  /** Name of the text that perplexity was measured on, and its rows. */
  readonly text: string;
  readonly rows: number | null;
  /** That text also chose what to keep. */
  readonly calibrated: boolean;
  /** What the models continued. */
  readonly prompt?: string;
  /** How speed was measured; null without. */
  readonly speed: {
    readonly batch: number;
    readonly newTokens: number;
    readonly runs: number;
    readonly warmup: number;
    readonly inTurns: boolean;
  } | null;
  /** It ended early, and numbers are missing. */
  readonly cancelled: boolean;
  /** The whole model first, then size by size. */
  readonly models: readonly VersusModelDigest[];
}

/** A model of the comparison; null is what was not measured. */
export interface VersusModelDigest {
  /** "whole", "plan", "ppl", "taylor", "llm-pruner", "flap", "wanda-sp". */
  readonly method: string;
  readonly kind: 'whole' | 'depth' | 'width';
  /** Removed blocks; of a narrower model, those whose removal gives its size. */
  readonly count: number;
  readonly removed: readonly (number | string)[];
  readonly ratio: number | null;
  readonly parameters: number | null;
  readonly blocks: number | null;
  /** Of the blocks that are left: mean and population deviation. */
  readonly heads: SpreadDigest | null;
  readonly ffn: SpreadDigest | null;
  readonly ppl?: JsonNumber;
  readonly accuracy: number | null;
  /** Of the accuracy to the whole model's on the same items. */
  readonly difference: { readonly difference: number | null; readonly interval: number | null } | null;
  /** Seconds, and tokens a second. */
  readonly latency: SpreadDigest | null;
  readonly throughput: SpreadDigest | null;
  /** Of weights, cache and activations, predicted. */
  readonly memoryBytes: number | null;
  readonly speedUp: number | null;
  readonly pruningSeconds: number | null;
  /** What it makes of the prompt, greedily. */
  readonly continuation?: string;
  /** Why there is no such model, or no speed of it. */
  readonly failure?: string;
  readonly speedFailure?: string;
}

export interface SpreadDigest {
  readonly mean: number;
  readonly sd: number;
}
