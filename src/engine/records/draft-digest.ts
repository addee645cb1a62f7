/** What a draft would do for a model, reduced to the data of the card, tables and reports. */
import type { JsonNumber } from '../../format/json';
import type { Runtime } from '../draft/runtimes';

/** A forecast of speculative decoding, or the pair that was written after one. */
export interface DraftDigest {
  /** The program that would run both: its name as an option, as its own pages write it, and its version where it was run. */
  readonly program: Runtime;
  readonly title: string;
  readonly version?: string;
  /** Type of the model's weights; "stored": each as the model has it. */
  readonly type: string;
  /** Of the model's weights. */
  readonly bytes?: number;
  readonly text: {
    /** Name of the file of prompts. */
    readonly source: string;
    readonly prompts: number;
    readonly heldOut: number;
    readonly tokens: number;
    /** 0: the most likely token each time. */
    readonly temperature: number;
  };
  /** What passes cost; undefined where that is not known. */
  readonly costs?: {
    /** Rows that the model reads at once, and its time for them over that for one. */
    readonly rows: readonly number[];
    readonly v: readonly number[];
    /** The program that was timed, and how often; undefined where the costs were given. */
    readonly measuredIn?: string;
    readonly runs?: number;
  };
  /** What a draft of the cheapest kind would gain that is always right. */
  readonly perfect?: { readonly length: number; readonly speedup: number };
  /** The drafts that were asked for, then the chosen one if it is none of them. */
  readonly drafts: readonly DraftRowDigest[];
  /** Name of the best draft. */
  readonly chosen?: string;
  /** Its speed-up on prompts that decided nothing. */
  readonly heldOutSpeedup?: number;
  readonly verdict: 'pays' | 'written' | 'refused';
  /** The verdict in a sentence or two. */
  readonly why: string;
  /** Name of the folder of the pair. */
  readonly written?: string;
  /** What the written pair did. */
  readonly verified?: {
    readonly by: string;
    readonly texts: number;
    readonly textsEqual: number;
    readonly rounds: number;
    readonly forecastRounds: number;
  };
}

/** A draft, and what comes of it. */
export interface DraftRowDigest {
  /** Its type, the blocks that it lacks, or the name of another model. */
  readonly name: string;
  /** The whole model in fewer bits. */
  readonly trivial: boolean;
  readonly healed: boolean;
  readonly bytes?: number;
  /** Time of its pass over that of the model's; null where it is not known. */
  readonly c: number | null;
  /** Mean chance that its token is taken, and mean share of probability that both models have in common. */
  readonly agree: number;
  readonly overlap?: JsonNumber;
  /** The best length, and the least confidence of a proposed token; 0 for no such limit. */
  readonly length: number;
  readonly threshold: number;
  /** Tokens of a pass of the model with these two, and times as fast; null where no cost is known. */
  readonly tokensPerRound: number;
  readonly speedup: number | null;
  /** The speed-up as far as the measured times vary. */
  readonly range?: readonly [low: number, high: number];
  /** Ascending by length, without a threshold. */
  readonly byLength: readonly {
    readonly length: number;
    readonly tokensPerRound: number;
    readonly speedup: number | null;
  }[];
}
