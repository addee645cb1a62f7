/** What a record says, reduced to what charts, tables and reports show. Plain data: it crosses to the panel as it is. */
import type { JsonNumber } from '../../format/json';

/** A run, whatever its kind; each part is there where the run has it. */
export interface RunDigest {
  /** "score", "curve", "retrain", "eval", "samples" … */
  readonly kind: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly finished: string;
  readonly model: { readonly name: string; readonly identity?: string };
  /** Blocks and modules that were left out of the model. */
  readonly removed: readonly (number | string)[];
  /** Name of the adapter on top. */
  readonly adapter?: string;
  /** The execution provider; null where nothing was computed. */
  readonly device: string | null;
  readonly inputs: readonly { readonly role: string; readonly name: string; readonly hash?: string }[];
  /** Name and value in words, nested ones with dots: "calibration.samples". */
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly versions: string;
  readonly score?: ScoreDigest;
  readonly curve?: CurveDigest;
  readonly training?: TrainingDigest;
  readonly quality?: readonly QualityDigest[];
  /** Models that were trained, on a text that curves are drawn of too. */
  readonly retrained?: readonly RetrainedDigest[];
  readonly cost?: readonly CostDigest[];
  readonly samples?: SamplesDigest;
}

export interface ScoreDigest {
  readonly criterion: string;
  /** Perplexity of the whole model, where the scores are perplexities. */
  readonly full?: JsonNumber;
  /** As of a curve; undefined for criteria that need no text. */
  readonly rowsKey?: string;
  /** Name of that text. */
  readonly text?: string;
  /** Of single blocks; empty for criteria that score runs or sequences. */
  readonly blocks: readonly {
    readonly index: number;
    readonly score: JsonNumber;
    /** Of ppl: a 95 % bootstrap interval of the perplexity from text to text. */
    readonly low?: JsonNumber;
    readonly high?: JsonNumber;
    /** Of ppl: a 95 % interval beside the whole model over the same rows; undefined in records that do not tell. */
    readonly pairedLow?: JsonNumber;
    readonly pairedHigh?: JsonNumber;
  }[];
}

export interface CurveDigest {
  readonly criterion: string;
  /** What perplexity was measured on, by name. */
  readonly text: string;
  /**
   * Names the rows that it was measured on (records/rows-key.ts): perplexities of one model can be compared where it is the
   * same. Undefined where the record does not tell.
   */
  readonly rowsKey?: string;
  /** Of the whole model, those that are read for a token (PanelModel); undefined in records that do not tell. */
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

export interface QualityDigest {
  readonly label: string;
  readonly ppl: JsonNumber;
  readonly tokens?: number;
  /** Name of the text. */
  readonly text?: string;
  /** As of a curve. */
  readonly rowsKey?: string;
}

/** What retraining brought back. */
export interface RetrainedDigest {
  readonly label: string;
  /** Whole blocks that it lacks. */
  readonly removed: readonly number[];
  readonly ppl: JsonNumber;
  /** Name of the text. */
  readonly text: string;
  /** As of a curve. */
  readonly rowsKey?: string;
}

/** What a model costs; null where it was not measured. */
export interface CostDigest {
  readonly label: string;
  readonly parameters: number | null;
  readonly bytes: number | null;
  readonly prefillTokensPerSecond: number | null;
  readonly decodeTokensPerSecond: number | null;
  readonly peakRssBytes: number | null;
  /**
   * How its speeds were measured: in turns with the others of this run, after a warm-up, so that they can be compared; by
   * itself; or while it wrote a text, once and from cold. Undefined where it has none.
   */
  readonly speed?: 'turns' | 'alone' | 'writing';
  /** The least and the most of all turns. */
  readonly prefillRange?: readonly [low: number, high: number];
  readonly decodeRange?: readonly [low: number, high: number];
  /** The model, where the record tells: a label means another one in every panel. */
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
    /** Share of repeated runs of four tokens; null where the text is too short. */
    readonly repetition: number | null;
    /** Why it ended: "eos", "length", "context", "cancelled", "failed". */
    readonly stopped: string;
    /** Why it failed. */
    readonly failure?: string;
  }[];
}
