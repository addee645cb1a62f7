/** Retrains a model or a view of it. Reports every step and every evaluation of the held-out part as events. */
import { asStored } from '../../engine/checkpoint/width';
import { resolve } from 'node:path';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { type Model, openModel } from '../../engine/model/model';
import { openForComputing, withModel } from '../../engine/model/opened';
import { detailsOf } from '../../engine/records/details';
import { REMEDY } from '../../engine/retrain/loop/explosion';
import { type RetrainSummary, type RunResult, summaryOf } from '../../engine/retrain/report';
import { retrain as retrainModel, type RetrainContext, type RetrainStart } from '../../engine/retrain/retrain';
import type { TeacherSource } from '../../engine/retrain/teacher/open-teacher';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import type { TrainingEvent, TrainingStartEvent } from '../../protocol/training';
import { inPhases, type Phase } from '../../engine/progress';
import { SELF } from '../healing-amounts';
import { healedFile, healsFirst } from '../heals-first';
import type { RetrainResult } from '../results/retrain';
import { healFirst } from './retrain-healing';
import type { OptionsFor } from '../kinds';
import { settingsOf, teacherWeightOf } from '../retrain-settings';
import { type JobContext, modelOptions, type RunEnd } from '../run';
import { hasOtherWeights, unprunedOf } from './retrain-unpruned';

type Options = OptionsFor<'retrain'>;
type Context = JobContext<TrainingEvent>;

export async function runRetrain(options: Options, context: Context): Promise<RunEnd<RetrainResult>> {
  if (!healsFirst({ ...options })) return runTraining(options, context);
  const [healing, opening, training] = inPhases(context.job, HEALING_AND_TRAINING);
  const { patch, healing: healed } = await healFirst(options, { ...context, job: healing });
  const end = await runTraining({ ...options, heal: patch }, { ...context, job: training }, opening);
  return healed ? { ...end, result: { ...end.result, healing: healed } } : end;
}

/** A guess: the training has most of the time. The healed weights are read again between both. */
const HEALING_AND_TRAINING: Phase[] = [{ share: 20, unpaced: true }, { share: 1, unpaced: true }, { share: 80 }];

/** @param opening the job of reading the model, if that is a phase of its own */
async function runTraining(options: Options, context: Context, opening = context.job): Promise<RunEnd<RetrainSummary>> {
  const { remove, width } = options;
  const heal = healedFile(options.heal);
  const { checkpoint, removed, changes, healed } = await openForComputing(
    options.checkpoint,
    { remove, width, heal },
    opening,
  );
  const tokenizer = await optionalTokenizer(checkpoint.home, opening);
  // Integer products run on the CPU only.
  const device = options.precision === 'int8' && options.device === 'auto' ? 'cpu' : options.device;
  const compute = modelOptions({ ...options, device }, context);
  return withModel(checkpoint, { ...compute, changes }, async (model) => {
    const isChanged = hasOtherWeights({ checkpoint, healed });
    const plain = isChanged && usesPlain(options) ? await openModel(asStored(checkpoint), compute) : model;
    const teacher = await openTeacher(options, plain, context);
    try {
      const { threads, memory } = options;
      const opened = { device, threads, memory };
      const trained = { checkpoint, removed, healed, tokenizer, model, plain };
      const openUnpruned = await unprunedOf(trained, compute, context.job);
      const hooks = hooksOf(context);
      const around = { removed, tokenizer, teacher, healed, author: plain, openUnpruned, hooks, opened };
      const done = await retrainModel(model, settingsOf(options), around, context.job);
      if (done.stopped) context.warn(stoppedLine(done.stopped));
      for (const { name, why } of done.leftBehind) context.note(`${name} was not copied: ${why}`);
      const { inputs, settings, seed } = done.record;
      return {
        result: summaryOf(done),
        run: detailsOf(checkpoint, options, {
          inputs: inputs.slice(1), // the model is the first input
          settings,
          seed: seed ?? undefined,
          device: model.device,
          precision: done.precision,
          checkpoints: teacher ? [teacher.model.checkpoint] : [],
        }),
      };
    } finally {
      if (teacher && teacher.model !== plain) await teacher.model.close();
      if (plain !== model) await plain.close();
    }
  });
}

/** Whether the checkpoint's own weights teach or write. */
const usesPlain = ({ checkpoint, teacher, data }: Options): boolean =>
  teacher === undefined ? data.includes(SELF) : resolve(teacher) === resolve(checkpoint);

/** If the unpruned model is the teacher of its own view, it is opened once. */
async function openTeacher(options: Options, plain: Model, context: Context): Promise<TeacherSource | undefined> {
  const { teacher: path } = options;
  if (path === undefined) return undefined;
  const part = { weight: teacherWeightOf(options), hiddenWeight: options.hiddenWeight };
  if (resolve(path) === resolve(options.checkpoint)) return { model: plain, ...part };
  return { model: await openModel(await openCheckpoint(path), modelOptions(options, context)), ...part };
}

function hooksOf({ emit, warn }: Context): RetrainContext['hooks'] {
  return {
    onStart: (start) => {
      if (start.warning !== undefined) warn(start.warning);
      emit(startEvent(start));
    },
    onUnpruned: (loss) => emit({ type: 'unpruned', loss, ppl: Math.exp(loss) }),
    onStep: ({ step, loss, learningRate, gradientNorm, tokens, seconds }) =>
      emit({ type: 'step', step, loss, learningRate, gradientNorm, tokens, seconds }),
    onEvaluation: (step, loss) => emit({ type: 'evaluation', step, loss, ppl: Math.exp(loss) }),
  };
}

/** The event before the first step. */
const startEvent = ({ parameters, options, data, rows, resumed, idle }: RetrainStart): TrainingStartEvent => ({
  type: 'start',
  steps: options.steps,
  batch: options.batch,
  learningRate: options.learningRate,
  warmup: options.warmup,
  parameters,
  data,
  rows,
  resumed,
  idle,
});

/** The warning about what was kept after the loss exploded. */
const stoppedLine = ({ step, why, kept }: NonNullable<RunResult['stopped']>): string =>
  `training stopped at step ${step}: ${why}. The weights of step ${kept} were kept. ${REMEDY}`;
