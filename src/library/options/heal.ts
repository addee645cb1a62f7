/** Options of `heal`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link heal}. */
export interface HealOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /**
   * Blocks and modules to leave out: [10, 12, 13, 14] or ["10.attention", "12.ffn"]. Numbers of blocks, from 0, and
   * names of modules.
   */
  readonly remove?: readonly (number | string)[];
  /** Use only the heads and neurons that this file keeps (width() with `save`), without writing anything. */
  readonly width?: string;
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
  /** Text, JSONL with "text", or JSON {"rows": [[ids]]} (needs no tokenizer). */
  readonly calibration?: string;
  /**
   * Text, JSONL or JSON with "instruction" and "output", "messages" or "text"; repeat it for more files; or self: the
   * unpruned model writes the text (the default).
   */
  readonly data?: readonly string[];
  /** Tokens of text, drawn from all of it (default: 32768; of a file of rows: all). A whole number of at least 1. */
  readonly tokens?: number;
  /** Tokens per row (default: 128; of a file of rows: all). A whole number of at least 2. */
  readonly length?: number;
  /**
   * Share of the rows that is not fitted and decides whether the healed weights are kept. At least 0 and below 1.
   * @defaultValue 0.015625
   */
  readonly heldOut?: number;
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
   * Heal the model with this LoRA adapter, which the new weights then include; also leaves out the blocks that it was
   * trained without.
   */
  readonly adapter?: string;
  /** Use the adapter although it was trained on other files: the same model in another form. */
  readonly otherBase?: boolean;
  /** Folder of the new checkpoint; it must not exist. */
  readonly out?: string;
  /**
   * File of the new weights alone, for `heal`; it must not exist; the editor knows it by the end .patch.safetensors.
   */
  readonly patch?: string;
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
