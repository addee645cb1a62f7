/**
 * The training loop (Shortened LLaMA §3.3): AdamW with a schedule, clipped gradients, evaluations on a held-out part,
 * and the best parameters kept. It does not depend on what is trained (see trainable-model.ts).
 */
import { CancelledError } from '../../errors';
import { Work, type JobOptions } from '../../progress';
import type { ExampleSet } from '../data/example';
import { evaluationRows } from '../data/held-out';
import { AdamW, clipFactor, totalNorm, type Parameters } from './adamw';
import type { Backprop } from './backprop';
import { countTokens, toBatch, type Batch } from './batch';
import type { DropoutMasks } from './dropout';
import { hasStalled, isEvaluated, remainingEvaluations } from './evaluations';
import { DivergedError, divergenceOf, explosionOf } from './explosion';
import type { TrainOptions } from './options';
import { describeStep, evaluationWork, stepWork } from './progress';
import { learningRateAt, PASSES_PER_STEP } from './schedule';
import { examplesOfStep, tokensOfSteps } from './step-examples';
import { loadState, saveState, type StateFile, type TraceEntry, type TrainingState } from './training-state';

export interface TrainHooks {
  /** Awaited before the next step. */
  readonly onStep?: (entry: TraceEntry) => void | Promise<void>;
  readonly onEvaluation?: (step: number, loss: number) => void;
}

export interface TrainInputs {
  readonly backprop: Backprop;
  /** Trained in place. */
  readonly parameters: Parameters;
  readonly data: ExampleSet;
  readonly options: TrainOptions;
  /** Dropout of LoRA's inputs; none when undefined. */
  readonly masks?: DropoutMasks;
  /** Where the run keeps its state, and whether it continues from the saved one. */
  readonly state?: StateFile & { readonly resume: boolean };
  readonly hooks?: TrainHooks;
}

/**
 * Trains the parameters in place. Afterwards they are the best ones seen, or the last ones when nothing is held out.
 * When the loss explodes, the last good parameters are kept, and the state reports it.
 * @throws DivergedError when the loss explodes and nothing good can be kept; CancelledError after saving the state
 */
export async function train(inputs: TrainInputs, job: JobOptions = {}): Promise<TrainingState> {
  const { parameters, options, state: file } = inputs;
  const optimizer = new AdamW(parameters, options);
  const resumed = file?.resume ? await loadState(file, parameters, optimizer) : undefined;
  const state = resumed ?? { step: 0, log: { trace: [], evaluations: [] } };
  return new TrainingRun(inputs, optimizer, state, job).run();
}

class TrainingRun {
  private readonly heldOut: Batch;
  private readonly work: Work;
  /** The step of the saved state. */
  private saved: number;

  constructor(
    private readonly inputs: TrainInputs,
    private readonly optimizer: AdamW,
    private readonly state: TrainingState,
    job: JobOptions,
  ) {
    const { data, options } = inputs;
    this.saved = state.step;
    this.heldOut = toBatch(evaluationRows(data.heldOut, options.seed));
    const evaluations = this.heldOut.rows.length === 0 ? 0 : remainingEvaluations(state, options);
    const stepTokens = tokensOfSteps(data, options, state.step);
    const total = PASSES_PER_STEP * stepTokens + evaluations * countTokens(this.heldOut.rows);
    this.work = new Work(job, total, 'passes', 'training');
  }

  async run(): Promise<TrainingState> {
    const { state } = this;
    const { options, parameters } = this.inputs;
    try {
      // If a run was cancelled during an evaluation, the resumed run repeats it.
      await this.evaluate();
      while (state.step < options.steps && !hasStalled(state, options.patience)) {
        const entry = await this.step(state.step + 1);
        const why = explosionOf(entry, state.log.trace[0]?.loss);
        if (why !== undefined) {
          state.stopped = { step: entry.step, why, kept: await this.keptStep(entry.step, why) };
          break;
        }
        await this.accept(entry);
      }
    } catch (error) {
      if (error instanceof CancelledError) await this.save();
      throw error;
    }
    if (state.best) for (const [name, { values }] of parameters) values.set(state.best.values.get(name)!);
    return state;
  }

  /** Updates the parameters with the gradient of one batch. */
  private async step(step: number): Promise<TraceEntry> {
    const { backprop, data, options, masks } = this.inputs;
    this.work.step(describeStep(this.state, options));
    const start = performance.now();
    const batch = toBatch(examplesOfStep(data, options, step));
    const { loss, gradients } = await backprop.gradients(batch, stepWork(this.work), masks && { masks, step });
    const gradientNorm = totalNorm(gradients);
    const learningRate = learningRateAt(step, options);
    this.optimizer.update(step, learningRate, gradients, clipFactor(gradientNorm, options.clip));
    const tokens = countTokens(batch.rows);
    return { step, loss, learningRate, gradientNorm, tokens, seconds: (performance.now() - start) / 1000 };
  }

  /** Logs a step; then evaluates and saves when due. */
  private async accept(entry: TraceEntry): Promise<void> {
    const { options, hooks } = this.inputs;
    this.state.step = entry.step;
    this.state.log.trace.push(entry);
    await hooks?.onStep?.(entry);
    await this.evaluate();
    // Also saves the last state: writing the output may still fail, for example on a full disk.
    if (entry.step % options.saveEvery === 0 || entry.step === options.steps) await this.save();
  }

  /** Measures the loss on the held-out part if due, and keeps the best parameters. */
  private async evaluate(): Promise<void> {
    const { state, heldOut } = this;
    const { backprop, parameters, options, hooks } = this.inputs;
    if (heldOut.rows.length === 0 || !isEvaluated(state.step, state, options)) return;
    const { loss } = await backprop.loss(heldOut, evaluationWork(this.work, state.step, heldOut.rows.length));
    state.log.evaluations.push({ step: state.step, loss });
    hooks?.onEvaluation?.(state.step, loss);
    if (state.best === undefined || loss < state.best.loss) {
      state.best = { step: state.step, loss, values: copyValues(parameters) };
    }
    const why = divergenceOf(state.log.evaluations, state.best?.step);
    if (why !== undefined) throw new DivergedError(state.step, why);
  }

  /** The step whose parameters are kept after the loss exploded in `step`. @throws DivergedError when there is none */
  private async keptStep(step: number, why: string): Promise<number> {
    const { best } = this.state;
    const kept = best ? best.step : await this.restore();
    if (!kept) throw new DivergedError(step, why);
    return kept;
  }

  /**
   * Without a held-out part: restores the saved parameters, if the loss of the step after them was not above the first
   * one.
   */
  private async restore(): Promise<number | undefined> {
    const { state: file, parameters } = this.inputs;
    const { trace } = this.state.log;
    const after = trace.find(({ step }) => step === this.saved + 1);
    if (!file || this.saved === 0 || !after || after.loss > trace[0].loss) return undefined;
    return (await loadState(file, parameters, this.optimizer))?.step;
  }

  private async save(): Promise<void> {
    const { state: file, parameters } = this.inputs;
    if (file) await saveState(file, this.state, parameters, this.optimizer);
    this.saved = this.state.step;
  }
}

function copyValues(parameters: Parameters): Map<string, Float32Array> {
  return new Map([...parameters].map(([name, { values }]) => [name, values.slice()]));
}
