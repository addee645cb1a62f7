/**
 * Training between two removals (Shortened LLaMA §3.3, §5.2): new adapters or every weight, a new optimiser and a new
 * schedule for each round. The order of the data goes on from round to round. Adapters are merged without rounding to
 * the checkpoint's type, and the next round starts there.
 */
import { rm } from 'node:fs/promises';
import { withShare } from '../../format/text-share';
import { requireArchitecture } from '../checkpoint/open';
import { adapterPatches } from '../adapter/adapter';
import { UserError } from '../errors';
import type { Model } from '../model/model';
import { inPhases, type JobOptions } from '../progress';
import type { ExampleSet } from '../retrain/data/example';
import { longestRow } from '../retrain/data/example';
import type { TrainingData } from '../retrain/data/load';
import { indicesOfSteps } from '../retrain/data/order';
import { trainedPatches } from '../retrain/full/write-trained';
import { Backprop } from '../retrain/loop/backprop';
import { DivergedError, REMEDY } from '../retrain/loop/explosion';
import type { TrainOptions } from '../retrain/loop/options';
import { train } from '../retrain/loop/train';
import type { TrainingState } from '../retrain/loop/training-state';
import { type PreparedTraining, prepareTraining } from '../retrain/prepare';
import type { RunFacts } from '../retrain/run-facts';
import { selectionAt } from '../retrain/selection';
import type { FullMethod, LoraMethod } from '../retrain/settings';
import type { Where } from '../retrain/where';
import type { KeyedPatch } from '../weights/patches';
import type { HealedTask, HealTask, RoundHealer } from './healer';
import type { IterateWorkspace } from './workspace';
import { writeRoundWeights } from './write-weights';

export interface TrainerSettings {
  readonly method: LoraMethod | FullMethod;
  readonly data: TrainingData;
  /** Of one round. */
  readonly options: TrainOptions;
  /** Of a training as long as so many rounds. */
  readonly optionsFor: (rounds: number) => TrainOptions;
  readonly where?: Where;
  /** Identifies the run. */
  readonly facts: RunFacts;
  /** Called with a warning: why a training stopped early. */
  readonly warn: (text: string) => void;
}

export class Trainer implements RoundHealer {
  constructor(
    private readonly settings: TrainerSettings,
    private readonly workspace: IterateWorkspace,
  ) {}

  /** @throws UserError, DivergedError when the loss explodes; CancelledError after saving the state */
  async heal(task: HealTask, job: JobOptions): Promise<HealedTask> {
    const { data } = this.settings;
    const [training, writing] = inPhases(job, [{ share: 19 }, { share: 1 }]);
    const options = this.optionsOf(task);
    const prepared = await this.prepare(task);
    const done = await this.train(task, prepared, options, training);
    if (done.stopped) this.settings.warn(stoppedLine(task.name, done.stopped));
    const { checkpoint } = task.model;
    const weights = {
      changes: task.changes,
      added: addedBy(task, prepared),
      removed: task.removed,
      method: this.settings.method.kind,
      texts: data.describe.files.map(({ file: name, sha256, share }) => ({ name, sha256, ...withShare(share) })),
    };
    await writeRoundWeights(checkpoint, weights, task.weights, writing.signal);
    const { trace } = done.log;
    return {
      trainingSeconds: trace.reduce((sum, { seconds }) => sum + seconds, 0),
      steps: done.step,
      trace: trace.map(({ step, loss, learningRate, gradientNorm, tokens, seconds }) => {
        return { step, loss, lr: learningRate, gradNorm: gradientNorm, tokensPerSecond: tokens / seconds };
      }),
      weights: 'healed',
      isWritten: true,
      fromOriginal: false,
    };
  }

  /** Dropout and new adapters are others in every round. */
  private optionsOf({ rounds, before }: HealTask): TrainOptions {
    const { options, optionsFor } = this.settings;
    const own = rounds === 1 ? options : optionsFor(rounds);
    return { ...own, seed: options.seed + before };
  }

  private async prepare({ model, removed, before }: HealTask): Promise<PreparedTraining> {
    const { method, where, data, options } = this.settings;
    const selection = where && (await selectionAt(where, model, removed));
    return prepareTraining(model, removed, { method, seed: options.seed + before, selection }, data);
  }

  private async train(
    task: HealTask,
    { trainable, parameters, masks, settings }: PreparedTraining,
    options: TrainOptions,
    job: JobOptions,
  ): Promise<TrainingState> {
    const { facts, options: ofRound, data: all } = this.settings;
    const data = stepData(all, ofRound, task.before * ofRound.steps, options.steps);
    const { model, name, removed } = task;
    const run = { ...facts, ...settings, ...options, part: name, removed, weights: model.weights.identity };
    const backprop = await Backprop.create(model, trainable, { longest: longestRow(data) });
    try {
      const state = { path: this.workspace.training(name), run: withoutIntervals(run), resume: true };
      return await train({ backprop, parameters, data, options, masks, state }, job);
    } catch (error) {
      if (error instanceof DivergedError) await rm(this.workspace.training(name), { force: true });
      throw error;
    } finally {
      await backprop.close();
    }
  }
}

/** Intervals may differ when a run goes on. */
const withoutIntervals = (run: RunFacts): RunFacts => ({
  ...run,
  evalEvery: undefined,
  saveEvery: undefined,
  patience: undefined,
});

/**
 * The data with the rows of some steps.
 * @param first steps that were done on these data before
 */
export function stepData(
  data: ExampleSet,
  { seed, batch }: Pick<TrainOptions, 'seed' | 'batch'>,
  first: number,
  steps: number,
): ExampleSet {
  const { train: examples, heldOut, batches } = data;
  const given = (step: number): readonly number[] => batches![step % batches!.length];
  return {
    train: examples,
    heldOut,
    batches: batches
      ? Array.from({ length: steps }, (_, step) => given(first + step))
      : [...indicesOfSteps(seed, examples.length, batch, first, first + steps)],
  };
}

/** What the training adds to the weights. @throws UserError for numbers that are not finite */
function addedBy({ model, removed }: HealTask, { adapter, parameters }: PreparedTraining): readonly KeyedPatch[] {
  for (const [name, { values }] of parameters) {
    if (values.every(Number.isFinite)) continue;
    throw new UserError(`Training cannot go on`, `the numbers of ${name} are not finite`, REMEDY);
  }
  return adapter ? adapterPatches(adapter()) : [...trainedPatches(wholeOf(model), removed, parameters)];
}

const wholeOf = ({ checkpoint }: Model) => requireArchitecture(checkpoint);

const stoppedLine = (name: string, { step, why, kept }: NonNullable<TrainingState['stopped']>): string =>
  `the training of ${name.startsWith('one') ? name : `round ${name}`} stopped at step ${step}: ${why}. The weights of step ${kept} were kept. ${REMEDY}`;
