/** Options of `generate`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link generate}. */
export interface GenerateOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /** The text to continue. */
  readonly prompt?: string;
  /** The prompt as token ids: [1, 403, 12]. */
  readonly ids?: readonly number[];
  /** Continue every prompt of a file: one a line, a JSON list, or JSON lines. */
  readonly prompts?: string;
  /** With `prompts`: write the continuations to this file, as JSON (.json) or JSON lines. */
  readonly out?: string;
  /**
   * With `prompts`: texts that are written side by side. A whole number of at least 1.
   * @defaultValue 16
   */
  readonly batch?: number;
  /** Format the prompt as a user message with the chat template. */
  readonly chat?: boolean;
  /** The system message of the chat (default: that of the template). */
  readonly system?: string;
  /**
   * Begin-of-text token. auto: before every row, window, example and question, if the model’s own tokenizer puts one
   * before a text; window: there in any case; stream: once before a whole text, not before questions, as in the
   * paper; none: nowhere.
   * @defaultValue "auto"
   */
  readonly bos?: 'auto' | 'window' | 'stream' | 'none';
  /**
   * Stop after this many tokens. A whole number of at least 1.
   * @defaultValue 64
   */
  readonly maxNewTokens?: number;
  /** Continue after the end-of-text token. */
  readonly ignoreEos?: boolean;
  /** Always choose the most likely token (the default). */
  readonly greedy?: boolean;
  /** Sampling temperature; lower is more predictable. A number above 0. */
  readonly temperature?: number;
  /** Sample from the n most likely tokens. A whole number of at least 1. */
  readonly topK?: number;
  /** Sample from the most likely tokens that add up to probability p. Above 0 and at most 1. */
  readonly topP?: number;
  /** Random seed of the sampling (default: 1234). A whole number from 0 to 4294967295. */
  readonly seed?: number;
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
   * Float32, int8 or int4 in blocks of 32 (CPU), float16 (GPU); auto: float32 where the whole model fits into half of
   * the free memory, else int8, else int4.
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
