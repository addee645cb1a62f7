/** Options of `bench`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link bench}. */
export interface BenchOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /**
   * Length of the prompt. A whole number of at least 1.
   * @defaultValue 128
   */
  readonly promptTokens?: number;
  /**
   * Tokens to write. A whole number of at least 1.
   * @defaultValue 64
   */
  readonly newTokens?: number;
  /**
   * Measured runs. A whole number of at least 1.
   * @defaultValue 3
   */
  readonly repeats?: number;
  /**
   * Seed of the prompt. A whole number from 0 to 4294967295.
   * @defaultValue 1234
   */
  readonly seed?: number;
  /** Also measure the rate of products by FFN width; takes some seconds. */
  readonly byWidth?: boolean;
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
