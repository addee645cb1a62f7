/** Runs a Python script of this folder for a benchmark and reads the JSON object that it prints. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Printed in place of a result where PyTorch or Python is missing. */
export interface Skipped {
  readonly skipped: string;
}

/** What `sweep_torch.py` prints. */
export interface TorchSweep {
  readonly rows: number;
  readonly length: number;
  readonly machine: PeerMachine;
  readonly results: readonly {
    readonly dtype: 'float32' | 'bfloat16' | 'float16';
    readonly batch: number;
    readonly seconds: number;
    /** Estimate for a machine with nothing else to do: its fastest pass, for every pass. Far below `seconds`: measure again. */
    readonly undisturbedSeconds: number;
    /** Mean loss of the whole model. */
    readonly full: number;
    /** Mean loss without block i. */
    readonly blocks: readonly number[];
    readonly order: readonly number[];
  }[];
}

/** What `load_pruned.py` prints. */
export interface TorchLoad {
  readonly machine: PeerMachine;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly mismatched: readonly string[];
  readonly blocks: number;
  readonly parameters: number;
  /** Mean loss of each row, when rows were given. */
  readonly rows?: readonly number[];
  readonly meanNll?: number;
}

/** What `load_width.py` prints. */
export interface TorchLoadWidth {
  readonly machine: PeerMachine;
  /** What each loader said, null if it took the checkpoint; present if one refused it. */
  readonly refused?: Readonly<Record<'AutoConfig' | 'AutoModelForCausalLM', string | null>>;
  readonly class: string;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly mismatched: readonly string[];
  readonly parameters: number;
  /** Largest difference of a logit. */
  readonly logits?: number;
  /** Whether the greedy ids are the same. */
  readonly greedy?: boolean;
}

/** What `train_peft.py` prints. */
export interface TorchTraining {
  readonly rows: number;
  readonly length: number;
  readonly machine: PeerMachine;
  readonly results: readonly {
    readonly dtype: 'float32' | 'bfloat16';
    /** Rows of a micro-batch. */
    readonly micro: number;
    /** Of one optimiser's step over all rows. */
    readonly seconds: number;
    /** As for the sweep. */
    readonly undisturbedSeconds: number;
    readonly tokensPerSecond: number;
    readonly loss: number;
    /** Trained ones. */
    readonly parameters: number;
  }[];
}

/** What `heal_torch.py` prints. Seconds of each phase. */
export interface TorchHealing {
  readonly machine: PeerMachine;
  readonly products: 'float64' | 'float32';
  /** Reading the model and its dense stream. */
  readonly load: number;
  /** One pass of the whole model. */
  readonly dense: number;
  readonly heal: number;
  readonly measure: number;
  /** All of them; the pass is in `load`. */
  readonly seconds: number;
  /** Before the teacher's logits were taken, and in all. */
  readonly healPeakBytes: number;
  readonly peakBytes: number;
  readonly before: TorchLikeness;
  readonly after: TorchLikeness;
  readonly rounded: TorchLikeness;
}

/** What `heal_postnorm_torch.py` prints. */
export interface TorchHealingBehindNorms {
  readonly machine: PeerMachine;
  readonly load: number;
  /** One pass of the whole model. */
  readonly dense: number;
  readonly heal: number;
  readonly seconds: number;
  readonly peakBytes: number;
  /** On the first rows. */
  readonly before: { readonly ppl: number; readonly kl: number };
  readonly after: { readonly ppl: number; readonly kl: number };
}

interface TorchLikeness {
  readonly meanNll: number;
  readonly kl: number;
}

/** What `width_torch.py` prints. */
export interface TorchWidth {
  readonly machine: PeerMachine;
  /** Of the method on an open model. */
  readonly seconds: number;
  readonly peakBytes: number;
  /** Kept groups and number of kept neurons of each block. */
  readonly layers: readonly { readonly groups: readonly number[]; readonly neurons: number }[];
}

/** What `choose_blocks.py` prints. */
export interface Choosers {
  readonly machine: PeerMachine;
  readonly commits: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, Chosen | { readonly failed: string }>>;
}

/** Either scores of all blocks, or of runs of as many blocks as are to go. */
export interface Chosen {
  readonly scores?: readonly number[];
  readonly runs?: readonly { readonly start: number; readonly score: number }[];
  /** From the least important block on. */
  readonly order?: readonly number[];
  /** What the tool takes of all blocks. */
  readonly blocks: readonly number[];
  /** Without loading the model. */
  readonly seconds: number;
}

/** What `tasks_lm_eval.py` prints. */
export interface HarnessTasks {
  readonly machine: PeerMachine;
  readonly results: readonly {
    readonly batch: number;
    readonly seconds: number;
    readonly loglik: readonly number[];
    readonly greedy: readonly boolean[];
  }[];
}

export interface PeerMachine {
  readonly cpu: string;
  readonly threads: number;
  readonly python: string;
  readonly torch: string;
  readonly transformers: string;
}

/** The sweep in PyTorch; further options as `sweep_torch.py --help` tells. */
export const torchSweep = (checkpoint: string, rowsFile: string, ...options: string[]): TorchSweep | Skipped =>
  runPeer('sweep_torch.py', [checkpoint, rowsFile, ...options]) as TorchSweep | Skipped;

/** A step of LoRA retraining with PEFT; further options as `train_peft.py --help` tells. */
export const torchTraining = (checkpoint: string, rowsFile: string, ...options: string[]): TorchTraining | Skipped =>
  runPeer('train_peft.py', [checkpoint, rowsFile, ...options]) as TorchTraining | Skipped;

/** Healing by the reference tool; further options as `heal_torch.py --help` tells. */
export const torchHealing = (
  tool: string,
  checkpoint: string,
  rowsFile: string,
  ...options: string[]
): TorchHealing | Skipped =>
  runPeer('heal_torch.py', [tool, checkpoint, rowsFile, ...options]) as TorchHealing | Skipped;

/** Healing behind norms by the reference tool; further options as `heal_postnorm_torch.py --help` tells. */
export const torchHealingBehindNorms = (
  tool: string,
  model: string,
  rowsFile: string,
  ...options: string[]
): TorchHealingBehindNorms | Skipped =>
  runPeer('heal_postnorm_torch.py', [tool, model, rowsFile, ...options]) as TorchHealingBehindNorms | Skipped;

/** Width pruning by a method's passes and the reference tool's selections; options as `width_torch.py --help` tells. */
export const torchWidth = (
  tool: string,
  checkpoint: string,
  rowsFile: string,
  method: string,
  ...options: string[]
): TorchWidth | Skipped =>
  runPeer('width_torch.py', [tool, checkpoint, rowsFile, method, ...options]) as TorchWidth | Skipped;

/** Blocks that other tools choose by their own code; further options as `choose_blocks.py --help` tells. */
export const torchChoosers = (
  checkpoint: string,
  rowsFile: string,
  count: number,
  ...options: string[]
): Choosers | Skipped =>
  runPeer('choose_blocks.py', [checkpoint, rowsFile, String(count), ...options]) as Choosers | Skipped;

/** Log-likelihoods by lm-evaluation-harness; further options as `tasks_lm_eval.py --help` tells. */
export const harnessTasks = (checkpoint: string, requestsFile: string, ...options: string[]): HarnessTasks | Skipped =>
  runPeer('tasks_lm_eval.py', [checkpoint, requestsFile, ...options]) as HarnessTasks | Skipped;

/** Loads a checkpoint in transformers, and takes the losses of the rows. */
export const torchLoad = (checkpoint: string, rowsFile?: string): TorchLoad | Skipped =>
  runPeer('load_pruned.py', rowsFile === undefined ? [checkpoint] : [checkpoint, rowsFile]) as TorchLoad | Skipped;

/** Loads a checkpoint that was pruned in width, and compares it with what Coppice computes. */
export const torchLoadWidth = (checkpoint: string, expectedFile: string): TorchLoadWidth | Skipped =>
  runPeer('load_width.py', [checkpoint, expectedFile]) as TorchLoadWidth | Skipped;

export const isSkipped = (result: object): result is Skipped => 'skipped' in result;

/** Runs one script with COPPICE_PYTHON, else python3; its messages go to stderr. Throws when it printed no result. */
function runPeer(script: string, args: readonly string[]): unknown {
  const python = process.env.COPPICE_PYTHON ?? 'python3';
  const { error, status, stdout } = spawnSync(python, [join(import.meta.dirname, script), ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error) return { skipped: `${python} does not start: ${error.message}` } satisfies Skipped;
  if (!stdout.startsWith('{')) throw new Error(`${script} ended with ${status} and printed no result`);
  return JSON.parse(stdout);
}
