/** Options of `width`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link width}. */
export interface WidthOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /** How to choose heads and neurons. */
  readonly method: 'llm-pruner' | 'flap' | 'wanda-sp';
  /** Remove this share of heads and neurons, as the method means it. Above 0 and below 1. */
  readonly ratio?: number;
  /** Find the ratio whose model is nearest to this many parameters: 5_400_000_000, 110_000_000. */
  readonly targetParams?: number;
  /**
   * Find the ratio whose model is nearest in size to the model without these blocks: [10, 12, 13, 14]. Numbers of
   * blocks, from 0, and names of modules.
   */
  readonly asLargeAs?: readonly (number | string)[];
  /** Keep neurons in multiples of this number, such as 8, 32 or 256. A whole number of at least 1. */
  readonly multiple?: number;
  /**
   * llm-pruner: blocks to prune, A-B (default: without the first four and the last two). Numbers of blocks, from 0.
   */
  readonly range?: readonly number[];
  /** llm-pruner: what a weight is worth (default: first). */
  readonly salience?: 'first' | 'second' | 'mix' | 'vectorize' | 'l1' | 'l2';
  /** flap: compare all units, or those of each block (default: al-am). */
  readonly structure?: 'al-am' | 'ul-um';
  /** flap: what is measured of a channel (default: wifv). */
  readonly metric?: 'wifv' | 'wifn' | 'ifv';
  /**
   * `false`: flap: do not add the mean of what is removed as a bias.
   * @defaultValue true
   */
  readonly compensation?: boolean;
  /** Text, JSONL with "text", or JSON {"rows": [[ids]]} (needs no tokenizer). */
  readonly calibration: string;
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
  /** Folder of the new checkpoint; it must not exist. */
  readonly out?: string;
  /** Type of the new weights (default: the source's). */
  readonly dtype?: 'f32' | 'bf16' | 'f16';
  /** File of what is kept, for `width`; it must not exist; the editor knows it by the end .width.safetensors. */
  readonly save?: string;
  /** Also write the model as a GGUF file, which llama.cpp runs; it must not exist. */
  readonly gguf?: string;
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
