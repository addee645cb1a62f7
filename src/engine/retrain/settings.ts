/**
 * The settings of a retraining and their defaults: the values of Shortened LLaMA's scripts (`script/prune_*.sh`; the
 * later version for continued pre-training), scaled down for little data.
 */
import type { TextShare } from '../../format/text-share';
import type { WeightDtype } from '../formats/dtype';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { option } from '../option-token';
import type { LinearName } from '../checkpoint/architecture';
import type { BosChoice } from '../../format/bos';
import type { PromptStyle } from '../application/prompted';
import { stepsOfPasses, usualBatch, usualEvaluations, usualSaveEvery } from './amounts';
import { DEFAULTS } from './defaults';
import { evaluationSize } from './data/held-out';
import type { TrainingData } from './data/load';
import type { TrainOptions } from './loop/options';
import type { Where } from './where';

/** LoRA (Hu et al. 2021). */
export interface LoraMethod {
  readonly kind: 'lora';
  readonly rank?: number;
  readonly alpha?: number;
  readonly dropout?: number;
  readonly targets?: readonly LinearName[];
  /**
   * Where the adapter starts from: the folder of an adapter or its weights file, or "formula" (see start-adapter.ts);
   * random when undefined.
   */
  readonly start?: string;
  /** Start from it even if it was trained on other files or without other blocks. */
  readonly otherBase?: boolean;
}

/** Full-parameter training. */
export interface FullMethod {
  readonly kind: 'full';
  /** Start from the checkpoint's weights, or from random ones. */
  readonly start: 'checkpoint' | 'random';
  /** Memory limit in bytes; the free memory when undefined. */
  readonly memory?: number;
}

export interface RetrainSettings {
  readonly method: LoraMethod | FullMethod;
  /** The blocks that are trained. When undefined: those of the adapter to start from, or all. */
  readonly where?: Where;
  /** Folder to write: the adapter's, or the checkpoint's. It must not exist. */
  readonly out: string;
  /** Resume a stopped run. */
  readonly resume?: boolean;
  /**
   * LoRA: int8 computes the products of the blocks' frozen weights, forward and backward, with 8-bit integers, on the CPU.
   * Everything else stays float32. float32 when undefined.
   */
  readonly precision?: 'int8';
  /** LoRA: write the merged checkpoint instead of the adapter. */
  readonly merge?: boolean;
  /** Type of a written checkpoint's weights; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
  /** Files, or text that the unpruned model generates. */
  readonly data: readonly string[] | 'self';
  /** The share of each file; all of it when undefined. */
  readonly share?: TextShare;
  /** Tokens of that text. */
  readonly selfTokens?: number;
  readonly prompt?: PromptStyle;
  /** How texts begin; 'auto' when undefined. */
  readonly bos?: BosChoice;
  /** Maximum tokens of a row. */
  readonly length?: number;
  readonly heldOut?: number;
  /** Seed for the split, the data order, dropout and all other random numbers. */
  readonly seed?: number;
  readonly learningRate?: number;
  /** Rows per batch, and batches per step. The loss is one mean over all rows of a step. */
  readonly batch?: number;
  readonly accumulate?: number;
  readonly epochs?: number;
  /** Instead of epochs. */
  readonly steps?: number;
  readonly warmup?: number;
  readonly evalEvery?: number;
  readonly saveEvery?: number;
  readonly clip?: number;
  readonly weightDecay?: number;
  readonly betas?: readonly [number, number];
  readonly patience?: number;
}

/** Tokens of a row, at most. */
export const rowLengthOf = (
  { length }: Pick<RetrainSettings, 'length'>,
  { context }: { readonly context: number },
): number => length ?? Math.min(DEFAULTS.length, context);

/** The hyper-parameters for this data. @throws UserError for an impossible schedule */
export function trainOptions(settings: RetrainSettings, data: TrainingData): TrainOptions {
  const { method, accumulate = 1, warmup, seed = DEFAULTS.seed } = settings;
  const usual = DEFAULTS[method.kind];
  const examples = data.train.length;
  // Rows per step, limited by the data or fixed by a file.
  const most = data.batches
    ? Math.max(...data.batches.map((rows) => rows.length))
    : (settings.batch ?? usualBatch(examples)) * accumulate;
  const batch = Math.min(most, examples);
  const steps = settings.steps ?? stepsOf(settings, data, batch);
  if (warmup !== undefined && warmup > steps) {
    throw new UserError(
      `Cannot warm up for ${counted(warmup, 'step')}`,
      `the run has ${steps}`,
      `Give a lower ${option('warmup')}, or more ${option('steps')} or ${option('epochs')}.`,
    );
  }
  const [beta1, beta2] = settings.betas ?? usual.betas;
  const evaluations = usualEvaluations(steps * batch, evaluationSize(data.heldOut.length));
  return {
    learningRate: settings.learningRate ?? usual.learningRate,
    warmup: warmup ?? Math.min(DEFAULTS.warmup, Math.floor(steps / 10)),
    steps,
    batch,
    clip: settings.clip ?? DEFAULTS.clip,
    weightDecay: settings.weightDecay ?? usual.weightDecay,
    beta1,
    beta2,
    epsilon: 1e-8,
    seed,
    evalEvery: settings.evalEvery ?? Math.min(DEFAULTS.evalEvery, Math.ceil(steps / evaluations)),
    saveEvery: settings.saveEvery ?? usualSaveEvery(steps),
    patience: settings.patience,
  };
}

function stepsOf({ epochs }: RetrainSettings, { train, batches }: TrainingData, batch: number): number {
  if (batches) return Math.max(1, Math.round((epochs ?? 1) * batches.length));
  return stepsOfPasses(epochs ?? DEFAULTS.epochs, train.length, batch);
}
