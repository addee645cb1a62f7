/** Accuracies of models in tasks: each model answers all questions, then they are compared item by item. */
import { averageOf } from '../../engine/evaluate/tasks/accuracy';
import { availableTasks } from '../../engine/evaluate/tasks/available';
import { TASK_NAMES, type TaskName } from '../../engine/evaluate/tasks/catalogue';
import { readOwnTask, requireOwnNames } from '../../engine/evaluate/tasks/own';
import { readTask, type TaskFromFile } from '../../engine/evaluate/tasks/read';
import { differencesOf } from '../../engine/evaluate/tasks/differences';
import { evaluateTasks } from '../../engine/evaluate/tasks/evaluate';
import { answersKey, KeptAnswers } from '../../engine/evaluate/tasks/kept-answers';
import { questionTexts } from '../../engine/evaluate/tasks/question-texts';
import { openForComputing, type OpenedModel, withModel } from '../../engine/model/opened';
import type { DeviceReport } from '../../engine/onnx/device';
import { inPhases, type JobOptions } from '../../engine/progress';
import { detailsOf } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import type { ModelTasks, TasksComparison, TasksResult } from '../../protocol/tasks';
import type { OptionsFor } from '../kinds';
import type { LabelledModel } from '../option';
import { floatOf } from '../options/precision';
import { columnsOf } from '../options/models';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';
import { columnInfo, inputsOf } from './columns';

type Options = OptionsFor<'tasks'>;

/** A model that has answered. */
interface Answered {
  readonly opened: OpenedModel;
  readonly device: DeviceReport;
  readonly tasks: ModelTasks;
}

export async function runTasks(options: Options, context: JobContext): Promise<RunEnd<TasksResult>> {
  const start = performance.now();
  const columns = columnsOf(options);
  const opened: OpenedModel[] = []; // all of them first: what is wrong with the last shows before hours of work
  for (const column of columns) opened.push(await openForComputing(column.checkpoint, column, context.job));
  const tasks = await readTasks(options, context);
  const kept = options.answers === undefined ? undefined : await KeptAnswers.open(options.answers);
  const phases = inPhases(
    context.job,
    opened.map(({ view }) => ({ share: view.attention.filter(Boolean).length + view.ffn.filter(Boolean).length })),
  );
  const answered: Answered[] = [];
  for (const [c, column] of columns.entries()) {
    const job = columns.length > 1 ? named(phases[c], column.label) : context.job;
    answered.push(await answer(column, opened[c], tasks, kept, options, { ...context, job }));
  }
  const models = answered.map((each) => each.tasks);
  const { device, precision } = models[0];
  const differences = differencesOf(models);
  const comparison: TasksComparison = {
    models,
    differences,
    questions: questionTexts(tasks, differences),
    seconds: secondsSince(start),
    device,
    precision,
  };
  const details = detailsOf(opened[0].checkpoint, options, {
    settings: {
      tasks: tasks.map(({ name }) => name),
      from: options.from ?? 0,
      limit: options.limit ?? null,
      bos: options.bos ?? false,
      ...(columns.length === 1 && { removed: models[0].removed }),
    },
    device: answered[0].device,
    precision,
    checkpoints: opened.slice(1).map(({ checkpoint }) => checkpoint),
  });
  const inputs = [...inputsOf(answered), ...tasks.flatMap((task) => task.inputs)];
  return {
    result: models.length === 1 ? models[0] : comparison,
    run: { ...details, inputs },
  };
}

const named = (job: JobOptions, label: string): JobOptions => ({
  signal: job.signal,
  onProgress: (progress) => job.onProgress?.({ ...progress, label: `${label}: ${progress.label}` }),
});

/** @throws UserError when a file is missing or wrong, or no task is found */
async function readTasks(
  { data, tasks, own = [], from, limit }: Options,
  context: JobContext,
): Promise<TaskFromFile[]> {
  const range = { from, limit };
  const read: TaskFromFile[] = [];
  if (data !== undefined) {
    const names = tasks ?? (await tasksThere(data, context));
    for (const name of names) read.push(await readTask(name, data, range, context.job));
  }
  for (const file of own) read.push(await readOwnTask(file, range, context.job));
  requireOwnNames(read);
  for (const { warnings } of read) warnings.forEach(context.warn);
  return read;
}

/** All tasks in the folder. The user hears which are not there, because an average without them is another number. */
async function tasksThere(data: string, context: JobContext): Promise<readonly TaskName[]> {
  const there = await availableTasks(data);
  const missing = TASK_NAMES.filter((name) => !there.includes(name));
  if (missing.length > 0) context.warn(`The average is without ${missing.join(', ')}: the data has no file of them.`);
  return there;
}

async function answer(
  column: LabelledModel,
  opened: OpenedModel,
  tasks: readonly TaskFromFile[],
  kept: KeptAnswers | undefined,
  options: Options,
  context: JobContext,
): Promise<Answered> {
  const start = performance.now();
  const { checkpoint, view, changes, inputs } = opened;
  const { label, model: name, removed, identity = '', ...on } = columnInfo({ label: column.label, opened }, column);
  const tokenizer = await loadTokenizer(checkpoint.home, context.job);
  const { bos = false } = options;
  return withModel(
    checkpoint,
    { ...modelOptions(options, context), precision: floatOf(options.precision), changes },
    async (model) => {
      const { device, precision } = model;
      // Answers of versions that knew float32 alone have the device's name there.
      const arithmetic = precision === 'float32' ? device.provider : `${device.provider} ${precision}`;
      const keys = new Map(
        tasks.map((task) => [
          task,
          answersKey([identity, removed, hashesOf(inputs), hashesOf(task.inputs), bos, arithmetic]),
        ]),
      );
      const results = await evaluateTasks(
        model,
        tokenizer,
        tasks,
        {
          view,
          bos,
          known: (task, item) => kept?.get(keys.get(task as TaskFromFile)!, item),
          onAnswers: async (task, found) =>
            kept?.add(found.map((result) => ({ key: keys.get(task as TaskFromFile)!, result }))),
        },
        context.job,
      );
      return {
        opened,
        device,
        tasks: {
          label,
          model: name,
          identity,
          removed,
          ...on,
          tasks: results,
          average: averageOf(results),
          seconds: secondsSince(start),
          device: device.provider,
          precision,
        },
      };
    },
  );
}

const hashesOf = (inputs: readonly RunInput[]): (string | undefined)[] =>
  inputs.map(({ sha256, identity }) => sha256 ?? identity);
