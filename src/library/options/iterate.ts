/** Options of `iterate`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link iterate}. */
export interface IterateOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /** Folder of the new checkpoint; it must not exist. */
  readonly out: string;
  /** Continue a run that was stopped; its goal may be another. */
  readonly resume?: boolean;
  /**
   * How to score.
   * @defaultValue "ppl"
   */
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
  /** Stop before the perplexity exceeds this. A number above 0. */
  readonly maxPpl?: number;
  /** Stop before the mean KL divergence from the unpruned model exceeds this, in nats. A number of at least 0. */
  readonly maxKl?: number;
  /** Stop before the average accuracy in the tasks falls below this share, such as 0.5. Above 0 and at most 1. */
  readonly minAccuracy?: number;
  /** With `minAccuracy`: folder with the files of the tasks. */
  readonly taskData?: string;
  /**
   * With `minAccuracy`: some of boolq, piqa, hellaswag, winogrande, arc_easy, arc_challenge, openbookqa (default: all
   * that are there).
   */
  readonly tasks?: readonly (
    'boolq' | 'piqa' | 'hellaswag' | 'winogrande' | 'arc_easy' | 'arc_challenge' | 'openbookqa'
  )[];
  /** With `minAccuracy`: a JSON file of your own questions; may be given several times. */
  readonly own?: readonly string[];
  /** With `minAccuracy`: take at most n items of each task. A whole number of at least 1. */
  readonly taskLimit?: number;
  /**
   * `false`: allow removing the first four blocks and the last two.
   * @defaultValue true
   */
  readonly keepEnds?: boolean;
  /** More blocks to keep: [5, 12, 13, 14]. Numbers of blocks, from 0. */
  readonly keep?: readonly number[];
  /**
   * What heals after each round: lora and full train; refit, fold and scalar are the closed forms of `heal`.
   * @defaultValue "lora"
   */
  readonly method?: 'lora' | 'full' | 'refit' | 'fold' | 'scalar' | 'none';
  /** Also remove as many blocks at once, with the training of all rounds, for comparison. */
  readonly oneShot?: boolean;
  /** The same for every number of blocks up to it. */
  readonly oneShotEach?: boolean;
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
  /** Measure on a text instead of the calibration rows. */
  readonly text?: string;
  /**
   * With `text`: tokens per window. A whole number of at least 2.
   * @defaultValue 128
   */
  readonly window?: number;
  /** With `text`: use only the first n windows. A whole number of at least 1. */
  readonly limit?: number;
  /**
   * Text for healing, as of `retrain` or `heal`, or self; repeat it for more files (default: the calibration text,
   * else self).
   */
  readonly data?: readonly string[];
  /** Maximum tokens per row (default: 256). A whole number of at least 1. */
  readonly trainLength?: number;
  /**
   * Records kept for validation: a number, or a share below 1 (default: a twentieth, at most 64). A number of at
   * least 0.
   */
  readonly heldOut?: number;
  /** `data` self: tokens to write (default: 16384). A whole number of at least 1. */
  readonly selfTokens?: number;
  /**
   * How instructions are written.
   * @defaultValue "alpaca"
   */
  readonly prompt?: 'alpaca' | 'plain';
  /** Rank (default: 8). A whole number of at least 1. */
  readonly rank?: number;
  /** α; the adapter adds (α/r) B A (default: 16). A number above 0. */
  readonly alpha?: number;
  /** Share of the adapters' inputs to drop (default: 0.05). At least 0 and below 1. */
  readonly dropout?: number;
  /** Linears to adapt (default: all, q,k,v,o,gate,up,down; of Phi-3 qkv,o,gate_up,down). */
  readonly targets?: readonly (
    | 'q'
    | 'k'
    | 'v'
    | 'o'
    | 'gate'
    | 'up'
    | 'down'
    | 'qkv'
    | 'gate_up'
    | 'q_proj'
    | 'k_proj'
    | 'v_proj'
    | 'o_proj'
    | 'gate_proj'
    | 'up_proj'
    | 'down_proj'
    | 'qkv_proj'
    | 'gate_up_proj'
  )[];
  /** Start from fixed pseudo-random adapters, the same in every program. */
  readonly initAdapter?: 'formula';
  /**
   * all: every kept block; cuts: the kept blocks right before and right after each cut; last3: the last three
   * (default: all, or those of `initAdapter`); of a pruned checkpoint, its record coppice.json tells the cuts.
   */
  readonly where?: 'all' | 'cuts' | 'last3';
  /** Passes over the data (default: 2). A number above 0. */
  readonly epochs?: number;
  /** Number of steps, instead of epochs. A whole number of at least 1. */
  readonly steps?: number;
  /** Rows per batch (default: 64, fewer for little data). A whole number of at least 1. */
  readonly batch?: number;
  /** Batches per step; the loss is the mean over all their rows. A whole number of at least 1. */
  readonly accumulate?: number;
  /** Peak learning rate (default: 0.001; 0.0001 with `full`). A number above 0. */
  readonly lr?: number;
  /** Steps of warm-up (default: 100, a tenth of a short run). A whole number from 0 to 4294967295. */
  readonly warmup?: number;
  /** Maximum norm of the gradient (default: 1). A number above 0. */
  readonly clip?: number;
  /** Weight decay (default: 0; 0.1 with `full`). A number of at least 0. */
  readonly weightDecay?: number;
  /** Decay rates of the moments (default: [0.9, 0.999]; [0.9, 0.95] with `full`). */
  readonly betas?: readonly number[];
  /** Steps between evaluations of the held-out part (at most 64 of its rows). A whole number of at least 1. */
  readonly evalEvery?: number;
  /** Steps between saved states. A whole number of at least 1. */
  readonly saveEvery?: number;
  /** Stop after this many evaluations without a better loss. A whole number of at least 1. */
  readonly patience?: number;
  /** Type of the new weights (default: the source's). */
  readonly dtype?: 'f32' | 'bf16' | 'f16';
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
  /** Tokens of text, drawn from all of it (default: 32768; of a file of rows: all). A whole number of at least 1. */
  readonly tokens?: number;
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
