/**
 * The training loop (Shortened LLaMA §3.3): AdamW with a schedule, clipped gradients, evaluations on a held-out part,
 * and the best parameters kept. It does not depend on what is trained (see trainable-model.ts).
 */
import { counted } from '../../counted';
import { CancelledError } from '../../errors';
import { Work, type JobOptions } from '../../progress';
import { AdamW, clipFactor, totalNorm } from './adamw';
import type { Backprop, PassWork } from './backprop';
import type { Batch } from './batch';
import type { Example } from '../data/example';
import { evaluationRows } from '../data/held-out';
import { batchIndices, indicesOfSteps } from '../data/order';
import type { DropoutMasks } from './dropout';
import { DivergedError, divergenceOf, explosionOf } from './explosion';
import type { TrainingRequest } from '../request';
import type { RunFacts } from '../run-facts';
import { learningRateAt, PASSES_PER_STEP, type Schedule } from './schedule';
import type { Parameters } from './adamw';
import { loadState, saveState, type TraceEntry, type TrainingState } from './training-state';
import { NO_TARGET } from '../../model/targets';

/** Hyper-parameters. Defaults are in settings.ts. */
export interface TrainOptions extends Schedule {
  /** Rows per step; 64 in the paper. If the data fix the batches: the largest number. */
  readonly batch: number;
  /** Maximum total norm of the gradients; usually 1. */
  readonly clip: number;
  /** Decoupled weight decay; 0 for LoRA, 0.1 for continued pre-training. */
  readonly weightDecay: number;
  /** 0.9; beta2 is 0.999 for LoRA, 0.95 for continued pre-training. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Seed of data order and dropout. */
  readonly seed: number;
  /** Steps between evaluations. */
  readonly evalEvery: number;
  /** Steps between saved states. */
  readonly saveEvery: number;
  /** Stop after this many evaluations without a better loss; never when undefined. */
  readonly patience?: number;
}

export interface TrainingData {
  readonly train: readonly Example[];
  readonly heldOut: readonly Example[];
  /** If the data fix the batches: for each step, the indices of its examples. */
  readonly batches?: readonly (readonly number[])[];
}

export interface TrainHooks {
  readonly onStep?: (entry: TraceEntry) => void;
  readonly onEvaluation?: (step: number, loss: number) => void;
}

/** The state file of a run, and the identity of the run. */
export interface StateFile {
  readonly path: string;
  readonly run: RunFacts;
  /** The request of the run. */
  readonly request?: TrainingRequest;
  /** Continue from the saved state. */
  readonly resume: boolean;
}

/** Number of steps whose losses are averaged for display. */
const SMOOTHING = 10;
/**
 * Trains the parameters in place. Afterwards they are the best ones seen, or the last ones when nothing is held out.
 * When the loss explodes, the last good parameters are kept, and the state reports it.
 * @throws DivergedError when the loss explodes and nothing good can be kept; CancelledError after saving the state
 */
export async function train(
  backprop: Backprop,
  parameters: Parameters,
  data: TrainingData,
  options: TrainOptions,
  context: { readonly masks?: DropoutMasks; readonly state?: StateFile; readonly hooks?: TrainHooks } = {},
  job: JobOptions = {},
): Promise<TrainingState> {
  const { masks, hooks, state: file } = context;
  const optimizer = new AdamW(parameters, options);
  const resumed = file?.resume ? await loadState(file.path, file.run, parameters, optimizer) : undefined;
  const state = resumed ?? { step: 0, log: { trace: [], evaluations: [] } };
  let saved = state.step;
  const save = async (): Promise<void> => {
    if (file) await saveState(file.path, file.run, state, parameters, optimizer, file.request);
    saved = state.step;
  };
  const heldOut = toBatch(evaluationRows(data.heldOut, options.seed));
  const evaluations = heldOut.rows.length === 0 ? 0 : evaluationsFrom(state, options);
  const toDo = PASSES_PER_STEP * tokensFrom(state.step, data, options) + evaluations * tokensOf(heldOut.rows);
  const work = new Work(job, toDo, 'passes', 'training');

  // If a run was cancelled during an evaluation, the resumed run repeats it.
  const evaluate = async (): Promise<void> => {
    if (heldOut.rows.length === 0 || !isDue(state.step, state, options)) return;
    const { loss } = await backprop.loss(heldOut, evaluationWork(work, state.step, heldOut.rows.length));
    state.log.evaluations.push({ step: state.step, loss });
    hooks?.onEvaluation?.(state.step, loss);
    if (state.best === undefined || loss < state.best.loss) {
      state.best = { step: state.step, loss, values: copyValues(parameters) };
    }
    const why = divergenceOf(state.log.evaluations, state.best?.step);
    if (why !== undefined) throw new DivergedError(state.step, why);
  };

  /**
   * Without a held-out part: restores the saved parameters, if the loss of the step after them was not above the first
   * one.
   */
  const lastGood = async (): Promise<number | undefined> => {
    const [first] = state.log.trace;
    const after = state.log.trace.find(({ step }) => step === saved + 1);
    if (!file || saved === 0 || !after || after.loss > first.loss) return undefined;
    return (await loadState(file.path, file.run, parameters, optimizer))?.step;
  };

  try {
    await evaluate();
    while (state.step < options.steps && !worse(state, options.patience)) {
      const step = state.step + 1;
      work.step(describe(state, options));
      const entry = await oneStep(backprop, data, optimizer, step, options, masks, work);
      const why = explosionOf(entry, state.log.trace[0]?.loss);
      if (why !== undefined) {
        const kept = state.best ? state.best.step : await lastGood();
        if (!kept) throw new DivergedError(step, why);
        state.stopped = { step, why, kept };
        break;
      }
      state.step = step;
      state.log.trace.push(entry);
      hooks?.onStep?.(entry);
      await evaluate();
      // Also saves the last state: writing the output may still fail, for example on a full disk.
      if (step % options.saveEvery === 0 || step === options.steps) await save();
    }
  } catch (error) {
    if (error instanceof CancelledError) await save();
    throw error;
  }
  if (state.best) for (const [name, { values }] of parameters) values.set(state.best.values.get(name)!);
  return state;
}

/** Whether to evaluate after `step`: at intervals and after the last step, and never twice at one step. */
function isDue(step: number, { log }: TrainingState, { evalEvery, steps }: TrainOptions): boolean {
  return log.evaluations.at(-1)?.step !== step && (step % evalEvery === 0 || step === steps);
}

/** Number of evaluations still to come. */
function evaluationsFrom(state: TrainingState, options: TrainOptions): number {
  let count = 0;
  for (let { step } = state; step <= options.steps; step++) count += Number(isDue(step, state, options));
  return count;
}

/** Progress of an evaluation, which names its rows. */
function evaluationWork(work: Work, step: number, rows: number): PassWork {
  const what = step === 0 ? 'measuring the start' : `measuring after step ${step}`;
  let seen = 0;
  work.step(`${what}: 0 of ${counted(rows, 'row')}`);
  return {
    check: () => work.check(),
    advance(tokens, of) {
      work.step(`${what}: ${(seen += of)} of ${rows} rows`);
      work.advance(tokens);
    },
  };
}

/** Progress of a step. */
const stepWork = (work: Work): PassWork => ({
  check: () => work.check(),
  advance: (tokens) => work.advance(PASSES_PER_STEP * tokens),
});

const tokensOf = (rows: Batch['rows']): number => rows.reduce((sum, row) => sum + row.length, 0);

/** Tokens of the steps after the step `done`, without padding. */
function tokensFrom(done: number, { train, batches }: TrainingData, { seed, batch, steps }: TrainOptions): number {
  const of = (indices: readonly number[]): number => tokensOf(indices.map((i) => train[i].ids));
  let sum = 0;
  if (batches) for (let step = done; step < steps; step++) sum += of(batches[step % batches.length]);
  else for (const indices of indicesOfSteps(seed, train.length, batch, done, steps)) sum += of(indices);
  return sum;
}

async function oneStep(
  backprop: Backprop,
  { train: examples, batches }: TrainingData,
  optimizer: AdamW,
  step: number,
  options: TrainOptions,
  masks: DropoutMasks | undefined,
  work: Work,
): Promise<TraceEntry> {
  const start = performance.now();
  const indices = batches
    ? batches[(step - 1) % batches.length]
    : batchIndices(options.seed, examples.length, options.batch, step - 1);
  const batch = toBatch(indices.map((i) => examples[i]));
  const { loss, gradients } = await backprop.gradients(batch, stepWork(work), masks && { masks, step });
  const gradientNorm = totalNorm(gradients);
  const learningRate = learningRateAt(step, options);
  optimizer.update(step, learningRate, gradients, clipFactor(gradientNorm, options.clip));
  const tokens = tokensOf(batch.rows);
  return { step, loss, learningRate, gradientNorm, tokens, seconds: (performance.now() - start) / 1000 };
}

/** Rows with targets from the labels: the target at position i is the label of token i + 1. */
export function toBatch(examples: readonly Example[]): Batch {
  return {
    rows: examples.map((e) => e.ids),
    targets: examples.map(({ labels }) =>
      Int32Array.from(labels, (_, i) => (i + 1 < labels.length ? labels[i + 1] : NO_TARGET)),
    ),
  };
}

/** Whether the last `patience` evaluations brought no improvement. */
function worse({ log, best }: TrainingState, patience: number | undefined): boolean {
  if (patience === undefined || best === undefined) return false;
  return log.evaluations.filter((e) => e.step > best.step).length >= patience;
}

/**
 * "step 12 of 100, loss 2.345, ppl 12.3, lr 1.0e-4": the loss is the mean of the last steps, the ppl that of the
 * held-out part.
 */
function describe({ step, log }: TrainingState, options: TrainOptions): string {
  const recent = log.trace.slice(-SMOOTHING);
  const parts = [`step ${step + 1} of ${options.steps}`];
  if (recent.length > 0) {
    parts.push(`loss ${(recent.reduce((sum, { loss }) => sum + loss, 0) / recent.length).toFixed(3)}`);
  }
  const last = log.evaluations.at(-1);
  if (last) parts.push(`ppl ${Math.exp(last.loss).toPrecision(3)}`);
  parts.push(`lr ${learningRateAt(step + 1, options).toExponential(1)}`);
  return parts.join(', ');
}

function copyValues(parameters: Parameters): Map<string, Float32Array> {
  return new Map([...parameters].map(([name, { values }]) => [name, Float32Array.from(values)]));
}
