/** Options of `versus`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link versus}. */
export interface VersusOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /** Sizes, as numbers of removed blocks (default: a tenth, a fifth, three tenths). */
  readonly counts?: readonly number[];
  /**
   * Sizes, as shares of all parameters of which at most as much is removed, in place of numbers of blocks: [0.2,
   * 0.35].
   */
  readonly ratios?: readonly number[];
  /** Also a choice of blocks of your own; without `counts`, all models have its size. Numbers of blocks, from 0. */
  readonly plan?: readonly number[];
  /** Some of ppl, taylor, llm-pruner, flap, wanda-sp (default: all). */
  readonly methods?: readonly ('ppl' | 'taylor' | 'llm-pruner' | 'flap' | 'wanda-sp')[];
  /** Keep neurons in multiples of this: 8, 32 or 256. A whole number of at least 1. */
  readonly multiple?: number;
  /**
   * `false`: allow removing the first four blocks and the last two.
   * @defaultValue true
   */
  readonly keepEnds?: boolean;
  /** More blocks to keep: [5, 12, 13, 14]. Numbers of blocks, from 0. */
  readonly keep?: readonly number[];
  /** Measure the perplexity on a text instead of the calibration rows. */
  readonly text?: string;
  /**
   * With `text`: tokens per window. A whole number of at least 2.
   * @defaultValue 128
   */
  readonly window?: number;
  /** With `text`: use only the first n windows. A whole number of at least 1. */
  readonly limit?: number;
  /** accuracy: folder with the files of the tasks. */
  readonly data?: string;
  /**
   * accuracy: some of boolq, piqa, hellaswag, winogrande, arc_easy, arc_challenge, openbookqa (default: all that are
   * there).
   */
  readonly tasks?: readonly (
    'boolq' | 'piqa' | 'hellaswag' | 'winogrande' | 'arc_easy' | 'arc_challenge' | 'openbookqa'
  )[];
  /** accuracy: a JSON file of your own questions; may be given several times. */
  readonly own?: readonly string[];
  /** accuracy: take at most n items of each task. A whole number of at least 1. */
  readonly items?: number;
  /** Keep answers in this file as they are found; a run that was stopped goes on from it. */
  readonly answers?: string;
  /**
   * `false`: measure latency, throughput and memory.
   * @defaultValue true
   */
  readonly speed?: boolean;
  /**
   * Texts that are written side by side. A whole number of at least 1.
   * @defaultValue 1
   */
  readonly batch?: number;
  /**
   * Tokens that each text gets. A whole number of at least 1.
   * @defaultValue 128
   */
  readonly newTokens?: number;
  /**
   * Measured runs of each model. A whole number of at least 1.
   * @defaultValue 3
   */
  readonly runs?: number;
  /**
   * Runs before them that do not count. A whole number of at least 0.
   * @defaultValue 1
   */
  readonly warmup?: number;
  /** What the texts begin with (default: "The Leaning Tower of Pisa is known for"). */
  readonly prompt?: string;
  /**
   * `false`: let every model continue the prompt greedily.
   * @defaultValue true
   */
  readonly sample?: boolean;
  /** Keep what each rival keeps in a file of this folder, for `width`. */
  readonly saveWidths?: string;
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
   * Where to compute.
   * @defaultValue "auto"
   */
  readonly device?: 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';
  /** CPU threads. A whole number of at least 1. */
  readonly threads?: number;
  /** Budget for hidden states and batches, such as 2_000_000_000 or 838_860_800. In bytes. */
  readonly memory?: number;
}
