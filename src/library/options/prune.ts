/** Options of `prune`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link prune}. */
export interface PruneOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /** Remove exactly these blocks: [10, 12, 13, 14]. Numbers of blocks, from 0. */
  readonly blocks?: readonly number[];
  /** Folder of the new checkpoint; it must not exist. */
  readonly out?: string;
  /** Choose the blocks and say what would be written, and write nothing. */
  readonly dryRun?: boolean;
  /** Scores to choose by (what `toJson` makes of the result of `score`). */
  readonly scores?: string;
  /** How to score. */
  readonly criterion?:
    'ppl' | 'kl' | 'taylor' | 'magnitude' | 'block-influence' | 'angular' | 'greedy' | 'search' | 'healed' | 'deepest';
  /** greedy: what to keep low, perplexity or KL divergence (default: ppl). */
  readonly objective?: 'ppl' | 'kl';
  /** Remove this many blocks. A whole number of at least 1. */
  readonly count?: number;
  /** Remove at most this share of all parameters, such as 0.2. Above 0 and below 1. */
  readonly ratio?: number;
  /** Keep at least this many parameters: 5_400_000_000, 110_000_000. */
  readonly targetParams?: number;
  /**
   * Remove as many blocks as keep the mean KL divergence from the unpruned model below this, in nats. A number of at
   * least 0.
   */
  readonly maxKl?: number;
  /**
   * `false`: allow removing the first four blocks and the last two.
   * @defaultValue true
   */
  readonly keepEnds?: boolean;
  /** More blocks to keep: [5, 12, 13, 14]. Numbers of blocks, from 0. */
  readonly keep?: readonly number[];
  /** Also write the removal as a mergekit configuration. */
  readonly mergekit?: string;
  /** Also write the removal as a llama-quantize --prune-layers command. */
  readonly llamaCpp?: string;
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
  /** Then correct the weights of the other blocks in closed form, as `heal` does. */
  readonly heal?: boolean;
  /**
   * Remove in this many rounds, and heal and score again after each; includes `heal`. A whole number of at least 1.
   */
  readonly rounds?: number;
  /**
   * refit: correct every kept block after the first cut; fold: one map per cut; scalar: one factor per cut.
   * @defaultValue "refit"
   */
  readonly method?: 'refit' | 'fold' | 'scalar';
  /**
   * Shrink the correction by this ridge, in medians of the diagonal of XᵀX; auto: by rows held back from each fit
   * (default: by the number of tokens, and 0.1 in families with a norm behind these layers). A number above 0, or
   * "auto".
   */
  readonly ridge?: number | 'auto';
  /**
   * Share of each correction that is taken. A number of at least 0.
   * @defaultValue 0.5
   */
  readonly step?: number;
  /**
   * The same right before a cut. A number of at least 0.
   * @defaultValue 0.8
   */
  readonly stepCut?: number;
  /** Text for healing, as of `heal`, or self; repeat it for more files (default: the calibration text, else self). */
  readonly data?: readonly string[];
  /** Tokens of text, drawn from all of it (default: 32768; of a file of rows: all). A whole number of at least 1. */
  readonly tokens?: number;
  /**
   * Share of the rows that is not fitted and decides whether the healed weights are kept. At least 0 and below 1.
   * @defaultValue 0.015625
   */
  readonly heldOut?: number;
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
