/** Options of `merge`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link merge}. */
export interface MergeOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /** Folder of the adapter, written by `retrain` or PEFT. */
  readonly adapter: string;
  /** The width that the adapter was trained on. */
  readonly width?: string;
  /** The healed weights that the adapter was trained on. */
  readonly heal?: string;
  /** Use the adapter although it was trained on other files: the same model in another form. */
  readonly otherBase?: boolean;
  /** Folder of the new checkpoint; it must not exist. */
  readonly out: string;
  /** Type of the new weights (default: the source's). */
  readonly dtype?: 'f32' | 'bf16' | 'f16';
}
