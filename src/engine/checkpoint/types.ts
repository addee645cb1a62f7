/** What is known of a checkpoint after opening it: headers only, never tensor data. */
import type { Architecture } from './architecture';
import type { FileStamp } from '../files/stamps';
import type { Shard } from '../formats/safetensors/file';
import type { TensorInfo } from '../formats/tensor';

/** Why a checkpoint can be inspected but not run. */
export interface Unsupported {
  readonly why: string;
  readonly action: string;
  /** What the config describes all the same (a quantised model): enough to count and to show, not to compute with. */
  readonly described?: Architecture;
}

export interface Checkpoint {
  /** What the user named, made absolute. */
  readonly path: string;
  /** The folder with config and tokenizer; of a lone file, the folder that it lies in. */
  readonly folder: string;
  readonly format: 'safetensors' | 'safetensors-sharded';
  /** The parsed `config.json`, or undefined for a file without one. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The typed description, when the config names a supported family that Coppice can compute with. */
  readonly architecture?: Architecture;
  /** Set exactly when `architecture` is not: reason and next step. */
  readonly unsupported?: Unsupported;
  readonly shards: readonly Shard[];
  /** Of the config and the shards, as they were when they were read. */
  readonly files: readonly FileStamp[];
  /** By tensor name, in file order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** SHA-256 (hex) of config + shard headers + shard sizes: names the model without hashing its weights. */
  readonly identity: string;
  /** Oddities that stop nothing but that `inspect` reports: unused tensors, tensors that the index does not list. */
  readonly notes: readonly string[];
}
