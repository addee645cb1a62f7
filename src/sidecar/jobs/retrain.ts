/** Retrains a model or a view of it; every step and every look at the held-out part is told as it happens. */
import { basename } from 'node:path';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { resultJson } from '../../engine/retrain/report';
import { retrain as retrainModel, type RetrainContext, type TeacherSource } from '../../engine/retrain/retrain';
import { detailsOf } from '../../engine/records/details';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { openModel, type Model } from '../../engine/model/model';
import { openForComputing, withModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import type { RetrainSpec } from '../../protocol/training';
import { type Job, type JobContext, modelOptions, wanted } from './job';

export const retrain: Job<'retrain', RetrainSpec> = async (spec, context) => {
  const { checkpoint, removed } = await openForComputing(spec.checkpoint, wanted(spec));
  const tokenizer = await optionalTokenizer(checkpoint.folder, context.job);
  return withModel(checkpoint, modelOptions(spec, context.hooks), async (model) => {
    const teacher = await openTeacher(spec, model, context);
    try {
      const { out, resume } = spec;
      const { device, threads, memory } = spec;
      const opened = { device, threads, memory };
      const around: RetrainContext = { removed, tokenizer, teacher, hooks: hooksOf(context), opened };
      const done = await retrainModel(model, { ...spec.settings, out, resume }, around, context.job);
      if (done.stopped) {
        const { step, why, kept } = done.stopped;
        context.note(`training stopped at step ${step}: ${why}; what it had come to after step ${kept} was kept`);
      }
      for (const { name, why } of done.leftBehind) context.note(`${name} was not copied: ${why}`);
      const look = ({ step, loss }: { step: number; loss: number }) => ({ step, loss, ppl: Math.exp(loss) });
      const { kind, steps, parameters, tokensPerSecond, seconds, peakRssBytes } = done;
      return {
        result: {
          ...{ kind, out: done.out, steps, parameters, removed: done.removed, tokensPerSecond, seconds, peakRssBytes },
          evaluations: done.evaluations.map(look),
          best: done.best ? look(done.best) : null,
        },
        results: { ...resultJson(done), kind, out: basename(done.out) },
        run: {
          ...detailsOf(checkpoint, spec, {
            inputs: done.record.inputs.slice(1),
            settings: { ...done.record.settings, removed: removedJson(removed) },
            seed: done.record.seed ?? undefined,
            device: model.device,
            checkpoints: teacher ? [teacher.model.checkpoint] : [],
          }),
        },
      };
    } finally {
      if (teacher && teacher.model !== model) await teacher.model.close();
    }
  });
};

async function openTeacher(
  { teacher, ...compute }: RetrainSpec,
  student: Model,
  { hooks }: JobContext<'retrain'>,
): Promise<TeacherSource | undefined> {
  if (!teacher) return undefined;
  const { checkpoint, weight } = teacher;
  if (checkpoint === undefined) return { model: student, weight };
  return { model: await openModel(await openCheckpoint(checkpoint), modelOptions(compute, hooks)), weight };
}

function hooksOf({ emit }: JobContext<'retrain'>): RetrainContext['hooks'] {
  return {
    onStart: ({ parameters, options: { steps, batch, learningRate }, resumed }) =>
      emit({ type: 'start', steps, batch, learningRate, parameters, resumed }),
    onStep: ({ step, loss, learningRate, gradientNorm, tokens, seconds }) =>
      emit({ type: 'step', step, loss, learningRate, gradientNorm, tokens, seconds }),
    onEvaluation: (step, loss) => emit({ type: 'evaluation', step, loss, ppl: Math.exp(loss) }),
  };
}
