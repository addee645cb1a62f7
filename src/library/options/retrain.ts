/** Options of `retrain`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link retrain}. */
export interface RetrainOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /**
   * Text, JSONL or JSON with "instruction" and "output", "messages" or "text"; repeat it for more files; or self: the
   * unpruned model writes the text.
   */
  readonly data: readonly string[];
  /** Folder to write; it must not exist. */
  readonly out: string;
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
  /** Continue a run that was stopped. */
  readonly resume?: boolean;
  /** Rank (default: 8). A whole number of at least 1. */
  readonly rank?: number;
  /** α; the adapter adds (α/r) B A (default: 16). A number above 0. */
  readonly alpha?: number;
  /** Share of the adapters' inputs to drop (default: 0.05). At least 0 and below 1. */
  readonly dropout?: number;
  /** Linears to adapt (default: all, q,k,v,o,gate,up,down; of Phi-3 qkv,o,gate_up,down). */
  readonly targets?: readonly (
    | 'q'
    | 'k'
    | 'v'
    | 'o'
    | 'gate'
    | 'up'
    | 'down'
    | 'qkv'
    | 'gate_up'
    | 'q_proj'
    | 'k_proj'
    | 'v_proj'
    | 'o_proj'
    | 'gate_proj'
    | 'up_proj'
    | 'down_proj'
    | 'qkv_proj'
    | 'gate_up_proj'
  )[];
  /** Start from an adapter; or "formula": the same initial values in every program. */
  readonly initAdapter?: string;
  /** Write the merged checkpoint instead of the adapter. */
  readonly merge?: boolean;
  /** Train every weight (continued pre-training) and write a checkpoint. */
  readonly full?: boolean;
  /** random: train from scratch. */
  readonly init?: 'random';
  /** Type of a written checkpoint's weights (default: the source's). */
  readonly dtype?: 'f32' | 'bf16' | 'f16';
  /**
   * all: every kept block; cuts: the kept blocks right before and right after each cut; last3: the last three
   * (default: all, or those of `initAdapter`); of a pruned checkpoint, its record coppice.json tells the cuts.
   */
  readonly where?: 'all' | 'cuts' | 'last3';
  /** Distil from this model (KL divergence of the next-token distributions). */
  readonly teacher?: string;
  /** The teacher's share of the loss (default: 0.5). Above 0 and at most 1. */
  readonly teacherWeight?: number;
  /**
   * Also pull the state before the last block towards the teacher's there: this times 1 − cosine (default: 0). A
   * number of at least 0.
   */
  readonly hiddenWeight?: number;
  /** `data` self: tokens to write (default: 16384). A whole number of at least 1. */
  readonly selfTokens?: number;
  /**
   * How instructions are written.
   * @defaultValue "alpaca"
   */
  readonly prompt?: 'alpaca' | 'plain';
  /** Maximum tokens per row (default: 256). A whole number of at least 1. */
  readonly length?: number;
  /**
   * Records kept for validation: a number, or a share below 1 (default: a twentieth, at most 64). A number of at
   * least 0.
   */
  readonly heldOut?: number;
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
  /** Passes over the data (default: 2). A number above 0. */
  readonly epochs?: number;
  /** Number of steps, instead of epochs. A whole number of at least 1. */
  readonly steps?: number;
  /** Rows per batch (default: 64, fewer for little data). A whole number of at least 1. */
  readonly batch?: number;
  /** Batches per step; the loss is the mean over all their rows. A whole number of at least 1. */
  readonly accumulate?: number;
  /** Peak learning rate (default: 0.001; 0.0001 with `full`). A number above 0. */
  readonly lr?: number;
  /** Steps of warm-up (default: 100, a tenth of a short run). A whole number from 0 to 4294967295. */
  readonly warmup?: number;
  /** Maximum norm of the gradient (default: 1). A number above 0. */
  readonly clip?: number;
  /** Weight decay (default: 0; 0.1 with `full`). A number of at least 0. */
  readonly weightDecay?: number;
  /** Decay rates of the moments (default: [0.9, 0.999]; [0.9, 0.95] with `full`). */
  readonly betas?: readonly number[];
  /** Steps between evaluations of the held-out part (at most 64 of its rows). A whole number of at least 1. */
  readonly evalEvery?: number;
  /** Steps between saved states. A whole number of at least 1. */
  readonly saveEvery?: number;
  /** Stop after this many evaluations without a better loss. A whole number of at least 1. */
  readonly patience?: number;
  /** Random seed of the run (default: 1234). A whole number from 0 to 4294967295. */
  readonly seed?: number;
  /**
   * Float32 (auto), or int8: products of the frozen weights in 8-bit integers, on the CPU; faster, and a little less
   * exact.
   * @defaultValue "auto"
   */
  readonly precision?: 'auto' | 'float32' | 'int8';
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
