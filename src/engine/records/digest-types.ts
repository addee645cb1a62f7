/** A record, reduced to the data of charts, tables and reports. Plain data that can be sent to the panel. */
import type { JsonNumber } from '../../format/json';

/** A run of any kind; parts that the run lacks are undefined. */
export interface RunDigest {
  /** "score", "curve", "retrain", "eval", "samples" … */
  readonly kind: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly finished: string;
  readonly model: { readonly name: string; readonly identity?: string };
  /** Blocks and modules left out of the model. */
  readonly removed: readonly (number | string)[];
  /** Name of the adapter on the model. */
  readonly adapter?: string;
  /** The execution provider; null if nothing was computed. */
  readonly device: string | null;
  readonly inputs: readonly { readonly role: string; readonly name: string; readonly hash?: string }[];
  /** Name and value in words, nested ones with dots: "calibration.samples". */
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly versions: string;
  readonly score?: ScoreDigest;
  readonly curve?: CurveDigest;
  readonly training?: TrainingDigest;
  readonly heal?: HealDigest;
  readonly quality?: readonly QualityDigest[];
  /** Trained models, measured on a text that curves also use. */
  readonly retrained?: readonly RetrainedDigest[];
  readonly cost?: readonly CostDigest[];
  readonly samples?: SamplesDigest;
}

export interface ScoreDigest {
  readonly criterion: string;
  /** Perplexity of the whole model, if the scores are perplexities. */
  readonly full?: JsonNumber;
  /** Like a curve's; undefined for criteria without a text. */
  readonly rowsKey?: string;
  /** Name of that text. */
  readonly text?: string;
  /** Scores of single blocks; empty for criteria that score runs or sequences. */
  readonly blocks: readonly {
    readonly index: number;
    readonly score: JsonNumber;
    /** Only ppl: a 95 % bootstrap interval of the perplexity over texts. */
    readonly low?: JsonNumber;
    readonly high?: JsonNumber;
    /** Only ppl: a 95 % interval paired with the whole model over the same rows; undefined if the record has none. */
    readonly pairedLow?: JsonNumber;
    readonly pairedHigh?: JsonNumber;
  }[];
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
  }[];
}

export interface TrainingDigest {
  /** Folder of the adapter or checkpoint, by name. */
  readonly output?: string;
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
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

/** A healing in closed form. */
export interface HealDigest {
  readonly method: string;
  /** Tokens that were fitted. */
  readonly tokens: number;
  /** Rows that the numbers below were measured on, and whether they were not fitted. */
  readonly rows: number;
  readonly heldOut: boolean;
  /** Name of the text. */
  readonly text: string;
  /** The pruned model as it is, healed, and healed with its new weights rounded to the file's type. */
  readonly before: HealNumbers;
  readonly after: HealNumbers;
  readonly rounded: HealNumbers;
  /** In the order of the walk; errors are squared and summed over the fitted tokens. */
  readonly steps: readonly {
    readonly block: number;
    readonly tensor: string;
    readonly errorBefore?: JsonNumber;
    readonly errorAfter?: JsonNumber;
  }[];
  /** The weights that were kept: "plain" if healing was no better. */
  readonly kept: 'healed' | 'plain';
  readonly seconds: number;
}

/** How near a model is to the whole one. */
export interface HealNumbers {
  readonly ppl: JsonNumber;
  /** Mean divergence of the whole model's distribution from this one's, in nats. */
  readonly kl: JsonNumber;
  /** Share of positions with the same most likely token. */
  readonly top1: JsonNumber;
}

export interface QualityDigest {
  readonly label: string;
  readonly ppl: JsonNumber;
  readonly tokens?: number;
  /** Name of the text. */
  readonly text?: string;
  /** Like a curve's. */
  readonly rowsKey?: string;
}

/** Perplexity after retraining. */
export interface RetrainedDigest {
  readonly label: string;
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
  readonly of?: {
    readonly model: string;
    readonly identity: string;
    readonly removed: readonly (number | string)[];
    readonly adapter?: string;
  };
}

export interface SamplesDigest {
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
    /** Why the text ended: "eos", "length", "context", "cancelled", "failed". */
    readonly stopped: string;
    /** Why it failed. */
    readonly failure?: string;
  }[];
}
