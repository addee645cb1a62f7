/** Options of `evaluate`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /** Text to measure perplexity on (UTF-8). */
  readonly text?: string;
  /**
   * Tokens per window. A whole number of at least 2.
   * @defaultValue 128
   */
  readonly window?: number;
  /** Use only the first n windows. A whole number of at least 1. */
  readonly limit?: number;
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
   * Compare with this unpruned model on the same tokens: mean KL divergence and top-1 agreement (default: for a
   * written model its original, if it lies beside it; otherwise the whole checkpoint, if something is left out or
   * changed).
   */
  readonly against?: string;
  /**
   * Also continue the beginnings of n rows greedily, and measure how much the continuations repeat themselves. A
   * whole number of at least 1.
   */
  readonly repetition?: number;
  /**
   * Float32 (auto); int8 or int4 in blocks of 32, as text is written (CPU); float16 (GPU).
   * @defaultValue "auto"
   */
  readonly precision?: 'auto' | 'float32' | 'float16' | 'int8' | 'int4';
  /**
   * Where to compute.
   * @defaultValue "auto"
   */
  readonly device?: 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';
  /** CPU threads. A whole number of at least 1. */
  readonly threads?: number;
  /** Budget for hidden states and batches, such as 2_000_000_000 or 838_860_800. In bytes. */
  readonly memory?: number;
  /** Keep quantised weights for the next time in this folder (default: in the user cache folder). */
  readonly quantisedFolder?: string;
  /**
   * Most that kept quantised weights may take on the disk; those used least recently go first. In bytes.
   * @defaultValue 21474836480
   */
  readonly quantisedLimit?: number;
}
