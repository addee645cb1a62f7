/** Options of `tasks`. Made by `npm run manifest` from the definition of the job: change it there. */
import type { LabelledModel } from '../../jobs/option';

/** Options of {@link tasks}. */
export interface TasksOptions {
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
  /** Folder with the files of the tasks. */
  readonly data?: string;
  /**
   * Of the data: boolq, piqa, hellaswag, winogrande, arc_easy, arc_challenge, openbookqa (default: all that are
   * there).
   */
  readonly tasks?: readonly (
    'boolq' | 'piqa' | 'hellaswag' | 'winogrande' | 'arc_easy' | 'arc_challenge' | 'openbookqa'
  )[];
  /** A JSON file of your own questions; may be given several times. */
  readonly own?: readonly string[];
  /** The first record taken of each file, from 0. A whole number of at least 0. */
  readonly from?: number;
  /** Take at most n records of each file. A whole number of at least 1. */
  readonly limit?: number;
  /**
   * Begin-of-text token. auto: before every row, window, example and question, if the model’s own tokenizer puts one
   * before a text; window: there in any case; stream: once before a whole text, not before questions, as in the
   * paper; none: nowhere.
   * @defaultValue "auto"
   */
  readonly bos?: 'auto' | 'window' | 'stream' | 'none';
  /** Keep answers in this file as they are found; a run that was stopped goes on from it. */
  readonly answers?: string;
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
