/** What is asked of whom, and one model's answers: the same for a whole run and for a part of it. */
import { askedRows, askedWarning } from '../../engine/importance/text-fit';
import { availableTasks } from '../../engine/evaluate/tasks/available';
import { DEFAULT_PROBE_SEED, probeTask } from '../../engine/evaluate/probes';
import { probesNamed } from '../../format/probes';
import type { Bundle } from '../../engine/evaluate/tasks/bundles';
import { TASK_NAMES, type TaskName } from '../../engine/evaluate/tasks/catalogue';
import { type Answers, answerBundles } from '../../engine/evaluate/tasks/evaluate';
import { answersKey, type KeptAnswers } from '../../engine/evaluate/tasks/kept-answers';
import { readOwnTask, requireOwnNames } from '../../engine/evaluate/tasks/own';
import { readTask, type TaskFromFile } from '../../engine/evaluate/tasks/read';
import { openForComputing, type OpenedModel, withModel } from '../../engine/model/opened';
import type { DeviceReport } from '../../engine/onnx/device';
import type { Precision } from '../../engine/precision';
import { inPhases, type JobOptions } from '../../engine/progress';
import { detailsOf, type RunDetails } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import type { BosMode } from '../../format/bos';
import { type Beginning, beginningOf, encodeText } from '../../engine/tokenizer/bos';
import { loadTokenizer, type Tokenizer } from '../../engine/tokenizer/tokenizer';
import type { OptionsFor } from '../kinds';
import { columnsOf } from '../options/models';
import { floatOf } from '../options/precision';
import { type JobContext, modelOptions, secondsSince } from '../run';
import { columnInfo, inputsOf } from './columns';
import type { AskedModel } from './tasks-result';

type Options = OptionsFor<'tasks'>;

/** A model with its name in results. */
export interface SubjectModel {
  readonly opened: OpenedModel;
  readonly asked: AskedModel;
}

export interface TasksSubject {
  readonly models: readonly SubjectModel[];
  readonly tasks: readonly TaskFromFile[];
}

/** A model that has answered. */
export interface Answered {
  readonly answers: Answers;
  readonly device: DeviceReport;
  readonly precision: Precision;
  /** Where the begin-of-text token was. */
  readonly bos: BosMode;
  readonly seconds: number;
}

/** Opens all models first: what is wrong with the last shows before hours of work. */
export async function tasksSubject(options: Options, context: JobContext): Promise<TasksSubject> {
  const models: SubjectModel[] = [];
  for (const column of columnsOf(options)) {
    const opened = await openForComputing(column.checkpoint, column, context.job);
    const { identity = '', ...info } = columnInfo({ label: column.label, opened }, column);
    const { label, model, removed, ...on } = info;
    models.push({ opened, asked: { label, model, identity, removed, ...on } });
  }
  return { models, tasks: await readTasks(options, context) };
}

/** @throws UserError when a file is missing or wrong, or no task is found */
async function readTasks(
  { data, tasks, own = [], from, limit, probes = [], seed }: Options,
  context: JobContext,
): Promise<TaskFromFile[]> {
  const range = { from, limit };
  const read: TaskFromFile[] = [];
  if (data !== undefined) {
    const names = tasks ?? (await tasksThere(data, context));
    for (const name of names) read.push(await readTask(name, data, range, context.job));
  }
  for (const file of own) read.push(await readOwnTask(file, range, context.job));
  for (const name of probesNamed(probes)) read.push(probeTask(name, seed, limit));
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

/**
 * Asks one model after another.
 * @param bundles for each model
 * @returns for each model its answers; undefined for one that has no bundle
 * @throws UserError, CancelledError
 */
export async function answerEach(
  { models, tasks }: TasksSubject,
  bundles: readonly (readonly Bundle[])[],
  kept: KeptAnswers | undefined,
  options: Options,
  context: JobContext,
): Promise<(Answered | undefined)[]> {
  const shares = models.map(({ opened: { view } }, m) => {
    const steps = view.attention.filter(Boolean).length + view.ffn.filter(Boolean).length;
    return { share: bundles[m].length > 0 ? steps : 0 };
  });
  const phases = inPhases(context.job, shares);
  const answered: (Answered | undefined)[] = [];
  for (const [m, model] of models.entries()) {
    const job = models.length > 1 ? named(phases[m], model.asked.label) : context.job;
    const own = bundles[m];
    answered.push(own.length > 0 ? await answer(model, tasks, own, kept, options, { ...context, job }) : undefined);
  }
  return answered;
}

const named = (job: JobOptions, label: string): JobOptions => ({
  signal: job.signal,
  onProgress: (progress) => job.onProgress?.({ ...progress, label: `${label}: ${progress.label}` }),
});

async function answer(
  { opened, asked: { identity, removed } }: SubjectModel,
  tasks: readonly TaskFromFile[],
  bundles: readonly Bundle[],
  kept: KeptAnswers | undefined,
  options: Options,
  context: JobContext,
): Promise<Answered> {
  const start = performance.now();
  const { checkpoint, architecture, view, changes, inputs } = opened;
  const tokenizer = await loadTokenizer(checkpoint.home, context.job);
  const beginning = beginningOf(options.bos, { tokenizer, bosTokenId: architecture.bosTokenId });
  const begins = begunAs(beginning, tokenizer);
  const mode = beginning.mode;
  return withModel(
    checkpoint,
    { ...modelOptions(options, context), precision: floatOf(options.precision), changes },
    async (model) => {
      const { device, precision } = model;
      // Answers of versions that knew float32 alone have the device's name there.
      const arithmetic = precision === 'float32' ? device.provider : `${device.provider} ${precision}`;
      const keys = new Map<object, string>(
        tasks.map((task) => [
          task,
          answersKey([identity, removed, hashesOf(inputs), hashesOf(task.inputs), begins, arithmetic]),
        ]),
      );
      const asked = askedRows(options.bos, mode, { tokenizer, bosTokenId: architecture.bosTokenId });
      const contexts = tasks.flatMap(({ choiceItems }) => choiceItems).slice(0, CONTEXTS); // the same in every part
      const ids: number[][] = [];
      for (const { choices } of contexts) ids.push(await encodeText(tokenizer, choices[0].context, beginning));
      const begun = await askedWarning(model, ids.filter(isLong), asked, context.job, view);
      if (begun !== undefined) context.warn(begun);
      const answers = await answerBundles(
        model,
        tokenizer,
        bundles,
        {
          view,
          beginning,
          known: (task, item) => kept?.get(keys.get(task)!, item),
          onAnswers: async (task, found) => kept?.add(found.map((result) => ({ key: keys.get(task)!, result }))),
        },
        context.job,
      );
      return { answers, device, precision, bos: mode, seconds: secondsSince(start) };
    },
  );
}

/**
 * How questions begin, in the key of kept answers. Earlier versions had a flag, which left written questions to the tokenizer:
 * true and false are what they wrote where that makes no difference.
 */
const begunAs = ({ mode }: Beginning, { beginsWith }: Tokenizer): boolean | BosMode => {
  if (mode === 'stream') return false;
  const begins = mode === 'window';
  return begins === (beginsWith !== undefined) ? begins : mode;
};

/** Contexts whose beginning is looked at, and tokens that they must have for it. */
const CONTEXTS = 16;
const isLong = ({ length }: readonly number[]): boolean => length >= 16;

const hashesOf = (inputs: readonly RunInput[]): (string | undefined)[] =>
  inputs.map(({ sha256, identity }) => sha256 ?? identity);

/** The record of a run or a part besides its results. @param by the first model that answered */
export function tasksDetails(
  { models, tasks }: TasksSubject,
  options: Options,
  { device, precision, bos }: Pick<Answered, 'device' | 'precision' | 'bos'>,
): RunDetails {
  const [{ opened, asked }, ...others] = models;
  const details = detailsOf(opened.checkpoint, options, {
    settings: {
      tasks: tasks.flatMap(({ name, probe }) => (probe ? [] : name)),
      ...(options.probes !== undefined && {
        probes: tasks.flatMap(({ probe }) => probe?.name ?? []),
        seed: options.seed ?? DEFAULT_PROBE_SEED,
      }),
      from: options.from ?? 0,
      limit: options.limit ?? null,
      bos,
      ...(models.length === 1 && { removed: asked.removed }),
    },
    device,
    precision,
    checkpoints: others.map(({ opened: { checkpoint } }) => checkpoint),
  });
  return { ...details, inputs: [...inputsOf(models), ...tasks.flatMap((task) => task.inputs)] };
}
