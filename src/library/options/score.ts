/** Options of `score`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link score}. */
export interface ScoreOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /**
   * How to score.
   * @defaultValue "ppl"
   */
  readonly criterion?:
    'ppl' | 'kl' | 'taylor' | 'magnitude' | 'block-influence' | 'angular' | 'greedy' | 'search' | 'healed' | 'deepest';
  /** greedy: what to keep low, perplexity or KL divergence (default: ppl). */
  readonly objective?: 'ppl' | 'kl';
  /** Text, JSONL with "text", or JSON {"rows": [[ids]]} (needs no tokenizer). */
  readonly calibration?: string;
  /** Calibration rows (default: 10; of a file of rows: all). A whole number of at least 1. */
  readonly samples?: number;
  /** Tokens per row (default: 128; of a file of rows: all). A whole number of at least 1. */
  readonly length?: number;
  /**
   * Random seed. A whole number from 0 to 4294967295.
   * @defaultValue 1234
   */
  readonly seed?: number;
  /**
   * Read one part of the text only: choose, its first 70 %, where blocks are chosen or weights fitted; judge, the
   * rest.
   */
  readonly share?: 'choose' | 'judge';
  /**
   * Begin-of-text token. auto: before every row, window, example and question, if the model’s own tokenizer puts one
   * before a text; window: there in any case; stream: once before a whole text, not before questions, as in the
   * paper; none: nowhere.
   * @defaultValue "auto"
   */
  readonly bos?: 'auto' | 'window' | 'stream' | 'none';
  /**
   * magnitude: |w| or w².
   * @defaultValue "l1"
   */
  readonly norm?: 'l1' | 'l2';
  /**
   * magnitude: over the neurons of a matrix.
   * @defaultValue "sum"
   */
  readonly reduction?: 'sum' | 'mean' | 'max' | 'product';
  /** search: seconds after the greedy start (default: 60; with `generations`, no limit). A number above 0. */
  readonly budget?: number;
  /** search: stop after this many generations. A whole number of at least 1. */
  readonly generations?: number;
  /**
   * ppl, kl: score whole blocks, or attention and FFN separately.
   * @defaultValue "block"
   */
  readonly granularity?: 'block' | 'module';
  /** greedy, search, healed: number of blocks to remove. A whole number of at least 1. */
  readonly count?: number;
  /**
   * auto: ppl, kl and greedy on the CPU look at all blocks in int8 and compute in float32 what decides; int8: that
   * alone; float16: on a GPU.
   * @defaultValue "auto"
   */
  readonly precision?: 'auto' | 'float32' | 'float16' | 'int8' | 'int4';
  /**
   * ppl, kl: how many of the least important parts are certain and in float32 (default: a third). A whole number of
   * at least 1.
   */
  readonly exact?: number;
  /** greedy, search, healed: blocks that must not be removed: [0, 1, 2, 3, 28]. Numbers of blocks, from 0. */
  readonly keep?: readonly number[];
  /**
   * Also say how many of the least important blocks keep the mean KL divergence from the unpruned model below this,
   * in nats. A number of at least 0.
   */
  readonly maxKl?: number;
  /** Also say which of the least important parts are at most these shares of all parameters: [0.2, 0.35]. */
  readonly ratios?: readonly number[];
  /**
   * `false`: with `maxKl` or `ratios`: also count the first four blocks and the last two.
   * @defaultValue true
   */
  readonly keepEnds?: boolean;
  /**
   * Leave out blocks without writing anything: [10, 12, 13, 14] or ["10.attention", "12.ffn"]. Numbers of blocks,
   * from 0, and names of modules.
   */
  readonly remove?: readonly (number | string)[];
  /** Use only the heads and neurons that this file keeps (width() with `save`), without writing anything. */
  readonly width?: string;
  /**
   * Use the healed weights of this file without writing anything; also leaves out the blocks that they were found
   * without.
   */
  readonly heal?: string;
  /** Apply a LoRA adapter without writing anything; also leaves out the blocks that it was trained without. */
  readonly adapter?: string;
  /** Use the adapter although it was trained on other files: the same model in another form. */
  readonly otherBase?: boolean;
  /**
   * Where to compute.
   * @defaultValue "auto"
   */
  readonly device?: 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';
  /** CPU threads. A whole number of at least 1. */
  readonly threads?: number;
  /** Budget for hidden states and batches, such as 2_000_000_000 or 838_860_800. In bytes. */
  readonly memory?: number;
}
