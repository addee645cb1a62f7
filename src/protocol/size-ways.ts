/**
 * The ways to a goal's size, side by side: fewer tokens, fewer blocks, fewer bits, or several of them. All in one unit: bytes of
 * what ships, and how many more bits a byte of a text takes. Types alone.
 */

/** What a way costs, as far as runs have measured it. */
export interface WayCost {
  /** How many more bits per byte, as a share. */
  readonly growth: number;
  /** The text; undefined for pieces of the counted texts that were held out. */
  readonly text?: string;
}

export interface SizeWay {
  /** Of all files that ship. */
  readonly bytes: number;
  readonly fits: boolean;
  /** Null if no run has measured it. */
  readonly cost: WayCost | null;
}

export interface VocabularyWay extends SizeWay {
  /** Id of the report whose texts are counted, and the least count of a token that stays. */
  readonly run: string;
  readonly min: number;
  /** Tokens that stay, and tokens of the model. */
  readonly kept: number;
  readonly of: number;
  /** Share of the tokens of text that was not counted which stay; null if none was held out. */
  readonly coverage: number | null;
}

export interface BlocksWay extends SizeWay {
  readonly count: number;
  readonly of: number;
}

export interface BitsWay extends SizeWay {
  /** Undefined: every weight keeps its type. */
  readonly type?: string;
}

/** Several of them, where none is enough, or where fewer blocks need to go. */
export interface TogetherWay extends Pick<SizeWay, 'bytes' | 'fits'> {
  /** Undefined: all stay. */
  readonly kept?: number;
  readonly count: number;
  readonly type?: string;
}

export interface SizeWays {
  /** The goal's limit, and what the whole model would have in the goal's format and type. */
  readonly limit: number;
  readonly bytes: number;
  /** Null without a report on the vocabulary. */
  readonly vocabulary: VocabularyWay | null;
  readonly blocks: BlocksWay;
  /** The finest type that fits, else the coarsest; null where no type is coarser than the goal's. */
  readonly bits: BitsWay | null;
  readonly together: TogetherWay | null;
}
