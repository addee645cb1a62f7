/** Options of `verify`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link verify}. */
export interface VerifyOptions {
  /** The file or folder that was written. */
  readonly output: string;
  /** The model that it was written from (default: the one of its record, if it lies beside it). */
  readonly against?: string;
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
  /** Also run it in llama.cpp, transformers.js and onnxruntime-genai where they are installed. */
  readonly consumers?: boolean;
  /**
   * A folder whose node_modules, or whose Python, these programs may come from too; code beside the model never runs.
   */
  readonly consumersFrom?: string;
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
