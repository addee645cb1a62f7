/** Options of `curve`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link curve}. */
export interface CurveOptions {
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
  /** Use the order of these scores (what `toJson` makes of the result of `score`). */
  readonly scores?: string;
  /** Largest number of removed blocks (default: all that can be removed). A whole number of at least 1. */
  readonly most?: number;
  /**
   * `false`: allow removing the first four blocks and the last two.
   * @defaultValue true
   */
  readonly keepEnds?: boolean;
  /** More blocks to keep: [5, 12, 13, 14]. Numbers of blocks, from 0. */
  readonly keep?: readonly number[];
  /**
   * kl: also the divergence from the unpruned model, and how often both agree; tasks: also the accuracy.
   * @defaultValue "ppl"
   */
  readonly measure?: 'ppl' | 'kl' | 'tasks';
  /**
   * Also say how many blocks keep the mean KL divergence from the unpruned model below this, in nats. A number of at
   * least 0.
   */
  readonly maxKl?: number;
  /** Measure on a text instead of the calibration rows. */
  readonly text?: string;
  /**
   * With `text`: tokens per window. A whole number of at least 2.
   * @defaultValue 128
   */
  readonly window?: number;
  /**
   * With `text`: use only the first n windows; with `measure` tasks: n items of each task. A whole number of at least
   * 1.
   */
  readonly limit?: number;
  /** With `measure` tasks: folder with the files of the tasks. */
  readonly data?: string;
  /**
   * With `measure` tasks: some of boolq, piqa, hellaswag, winogrande, arc_easy, arc_challenge, openbookqa (default:
   * all that are there).
   */
  readonly tasks?: readonly (
    'boolq' | 'piqa' | 'hellaswag' | 'winogrande' | 'arc_easy' | 'arc_challenge' | 'openbookqa'
  )[];
  /** With `measure` tasks: a JSON file of your own questions; may be given several times. */
  readonly own?: readonly string[];
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
   * Float32 (auto), or float16: Linears and attention products in half precision, on a GPU.
   * @defaultValue "auto"
   */
  readonly precision?: 'auto' | 'float32' | 'float16';
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
