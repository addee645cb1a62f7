/** Options of `grid`. Made by `npm run manifest` from the definition of the job: change it there. */
import type { LabelledModel } from '../../jobs/option';

/** Options of {@link grid}. */
export interface GridOptions {
  /** Folders, .safetensors files, indexes or .gguf files; the first is compared with. */
  readonly checkpoints?: readonly string[];
  /**
   * A model as JSON, with label, checkpoint, remove, width, heal and adapter; may be given several times, in place of
   * folders.
   */
  readonly columns?: readonly LabelledModel[];
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
   * Texts that are written side by side: [1, 8, 32].
   * @defaultValue [1,8,32]
   */
  readonly batch?: readonly number[];
  /**
   * Tokens that each text gets: [128, 512].
   * @defaultValue [128]
   */
  readonly newTokens?: readonly number[];
  /**
   * Measured runs of each cell. A whole number of at least 1.
   * @defaultValue 3
   */
  readonly runs?: number;
  /**
   * Runs before them that do not count. A whole number of at least 0.
   * @defaultValue 1
   */
  readonly warmup?: number;
  /** The paper's settings: 1 to 256 texts, 128 and 512 tokens, 20 runs after 10 that do not count; takes hours. */
  readonly paper?: boolean;
  /** What the texts begin with (default: the paper's prompt). */
  readonly prompt?: string;
  /** Begin with that many random tokens instead. A whole number of at least 1. */
  readonly promptTokens?: number;
  /** Begin with the prompts of a file: one a line, JSON or JSON lines; texts take them in turn. */
  readonly prompts?: string;
  /**
   * Begin-of-text token. auto: before every row, window, example and question, if the model’s own tokenizer puts one
   * before a text; window: there in any case; stream: once before a whole text, not before questions, as in the
   * paper; none: nowhere.
   * @defaultValue "auto"
   */
  readonly bos?: 'auto' | 'window' | 'stream' | 'none';
  /** Always choose the most likely token; without it tokens are drawn as in the paper. */
  readonly greedy?: boolean;
  /**
   * Random seed of the sampling. A whole number from 0 to 4294967295.
   * @defaultValue 1234
   */
  readonly seed?: number;
  /** Cells that need more are not run (default: all that the machine gives). In bytes. */
  readonly limitMemory?: number;
  /** Also write the paper's two tables for each model, as CSV files, into this folder. */
  readonly csv?: string;
  /**
   * Float32, int8 or int4 in blocks of 32 (CPU), float16 (GPU); auto: what generate would take.
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
