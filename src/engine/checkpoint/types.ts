/** Data of an open checkpoint: headers only, never tensor data. */
import type { Architecture } from './architecture';
import type { FileBytes } from './file-bytes';
import type { FileStamp } from '../files/stamps';
import type { Shard } from '../formats/safetensors/file';
import type { TensorInfo } from '../formats/tensor';
import type { Narrowing } from './width';

/** Why a checkpoint can be inspected but not computed with. */
export interface Unsupported {
  readonly why: string;
  readonly action: string;
  /**
   * The architecture in the config of such a checkpoint (a quantized model), for counts and display, not for computing.
   */
  readonly described?: Architecture;
}

export interface Checkpoint {
  /** The user's path, absolute. */
  readonly path: string;
  /** The folder with config and tokenizer; for a single file, its folder. */
  readonly folder: string;
  /** Where its tokenizer and its record are: its folder, or its GGUF file. */
  readonly home: string;
  readonly format: 'safetensors' | 'safetensors-sharded' | 'gguf' | 'gguf-sharded';
  /** The parsed `config.json`, or undefined for a file without one; of a multimodal model, that of its language model. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The typed description, if Coppice can compute with the model. */
  readonly architecture?: Architecture;
  /** Reason and next step; set if and only if `architecture` is not. */
  readonly unsupported?: Unsupported;
  readonly shards: readonly Shard[];
  /** Stamps of the config and the shards at the time of reading. */
  readonly files: readonly FileStamp[];
  /** How many bytes its files have. */
  readonly size: FileBytes;
  /** What most of a GGUF file is, as the program that made it wrote down: "Q4_K_M". */
  readonly fileType?: string;
  /** By tensor name, in file order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Weights that have no tensor of their own but lie in one with others, by the names that they would have. */
  readonly parts?: ReadonlyMap<string, TensorInfo>;
  /** Names of tensors that are no part of the language model (a vision tower's). They are shown; whether they are written says `prefix`. */
  readonly others?: ReadonlySet<string>;
  /** Set if the language model is written in its place among the other parts, which stay: how its tensors' names begin there. */
  readonly prefix?: string;
  /** SHA-256 (hex) of config + shard headers + shard sizes: identifies the model without hashing its weights. */
  readonly identity: string;
  /** Set if the model is narrower than its files; `tensors` are those of the files. */
  readonly narrowing?: Narrowing;
  /** Harmless problems for `inspect` to report: unused tensors, tensors that the index does not list. */
  readonly notes: readonly string[];
}
