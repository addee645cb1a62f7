/**
 * Retraining from start to end (paper §3.3, spec §1.11 and §2): data, trainee, teacher, training with a state that can be
 * resumed, and the adapter or checkpoint at the end.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../errors';
import type { JobOptions } from '../progress';
import { wholeBlocks } from '../prune/select';
import { detailsOf } from '../runs/details';
import { modelInput, newRecord, type RunInput, type RunRecord } from '../runs/record';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { Model, ModelOptions } from '../transformer/model';
import { requireOwnWeights } from '../transformer/own-weights';
import { fullView, type RemovedPart, type View } from '../transformer/view';
import { Backprop } from './backprop';
import type { DataDescription, TrainingData } from './data/load';
import { writeOutput } from './output';
import { type RetrainResult, resultJson, resultOf } from './report';
import { calibrationsOf } from './revised';
import { runData } from './run-data';
import { DEFAULTS, type RetrainSettings, trainOptions } from './settings';
import { type Subject, subjectOf } from './subject';
import { Teacher } from './teacher';
import { requireSameTokens } from './teacher-tokens';
import { DivergedError, train, type TrainHooks, type TrainOptions } from './train';
import type { TrainingState } from './training-state';
import { Workspace } from './workspace';

/** Who teaches: a model that is open, most often the student's own, unpruned. */
export interface TeacherSource {
  readonly model: Model;
  /** Its part in the loss, above 0 and at most 1. */
  readonly weight: number;
}

export interface RetrainStart {
  readonly parameters: number;
  readonly options: TrainOptions;
  readonly data: DataDescription;
  /** A run that was stopped is gone on with. */
  readonly resumed: boolean;
}

export interface RetrainContext {
  readonly removed: readonly RemovedPart[];
  /** Not needed for batches of ids. */
  readonly tokenizer?: Tokenizer;
  readonly teacher?: TeacherSource;
  readonly hooks?: TrainHooks & { readonly onStart?: (start: RetrainStart) => void };
  /** How the model was opened, for the record. */
  readonly opened?: Pick<ModelOptions, 'device' | 'threads' | 'memory'>;
}

/**
 * Trains, and writes the result to `settings.out`.
 * @throws UserError when settings or data cannot be used or the loss explodes; CancelledError once cancelled. What was
 *   trained until then is kept in `<out>.training`, for `settings.resume`
 */
export async function retrain(
  model: Model,
  settings: RetrainSettings,
  context: RetrainContext,
  job: JobOptions = {},
): Promise<RetrainResult> {
  const started = new Date();
  const clock = performance.now();
  const removed = wholeBlocks(context.removed);
  requireOwnWeights(model, 'retrain');
  checkSettings(model, settings);
  const { seed = DEFAULTS.seed, resume = false } = settings;
  const workspace = await Workspace.open(settings.out, model.checkpoint, resume);
  try {
    if (context.teacher) await requireSameTokens(context.teacher.model.checkpoint, context.tokenizer);
    const subject = await subjectOf(model, removed, settings.method, seed);
    const { tokenizer, teacher } = context;
    const sources = { tokenizer, teacher: teacher?.model, removed, cache: workspace.selfData };
    const data = await runData(model, settings, sources, job);
    const options = trainOptions(settings, data);
    const parameters = [...subject.parameters.values()].reduce((sum, { values }) => sum + values.length, 0);
    context.hooks?.onStart?.({ parameters, options, data: data.describe, resumed: workspace.found });
    const facts = { ...subject.settings, ...options, removed, ...teacherFacts(context.teacher) };
    const state = {
      path: workspace.state,
      fingerprint: fingerprintOf(model, facts, data.describe),
      resume,
    };
    const trained = await trainSubject(model, subject, data, options, context, state, job);
    const result = resultOf(trained, {
      parameters,
      removed,
      data: data.describe,
      device: model.device,
      seconds: (performance.now() - clock) / 1000,
    });
    const record = await recorder(model, context, data.describe, { ...facts, dtype: settings.dtype }, started);
    const out = await writeOutput(
      model,
      settings,
      subject,
      facts,
      (extra) => record({ ...resultJson(result), ...extra }),
      job,
    );
    await workspace.clear();
    return { ...result, ...out, seconds: (performance.now() - clock) / 1000 };
  } catch (error) {
    if (error instanceof DivergedError) await workspace.clear();
    throw error;
  } finally {
    await workspace.leave();
  }
}

function checkSettings({ architecture }: Model, settings: RetrainSettings): void {
  const { length = 0, method, merge = false, dtype } = settings;
  if (length > architecture.context) {
    throw new UserError(
      `Cannot train on rows of ${length} tokens`,
      `the model was made for ${architecture.context}`,
      `Give a --length of at most ${architecture.context}.`,
    );
  }
  if (dtype !== undefined && method.kind === 'lora' && !merge) {
    throw new UserError(
      'An adapter is always written as float32',
      'a type of the weights belongs to a checkpoint',
      'Leave --dtype out, or add --merge.',
    );
  }
}

async function trainSubject(
  model: Model,
  { trainee, parameters, masks }: Subject,
  data: TrainingData,
  options: TrainOptions,
  { teacher: source, hooks }: RetrainContext,
  state: { path: string; fingerprint: string; resume: boolean },
  job: JobOptions,
): Promise<TrainingState> {
  const headFrozen = trainee.head.options.trainable !== true;
  const teacher =
    source && (await Teacher.open(source.model, viewOf(source), { ...source, student: model, headFrozen }));
  try {
    const backprop = await Backprop.create(model, trainee, { teacher });
    try {
      return await train(backprop, parameters, data, options, { masks, state, hooks }, job);
    } finally {
      await backprop.close();
    }
  } finally {
    await teacher?.close();
  }
}

const viewOf = ({ model }: TeacherSource): View => fullView(model.architecture.blocks);

function teacherFacts(teacher: TeacherSource | undefined): object {
  return teacher ? { teacher: teacher.model.checkpoint.identity, teacherWeight: teacher.weight } : {};
}

/** Names the run: only its own state is gone on with. How often it is saved makes no difference. */
function fingerprintOf({ checkpoint }: Model, facts: object, data: DataDescription): string {
  const run = { version: 1, model: checkpoint.identity, ...facts, saveEvery: undefined, data };
  return createHash('sha256').update(JSON.stringify(run)).digest('hex');
}

/** Makes the record of the run from its results. */
async function recorder(
  { checkpoint, device }: Model,
  { opened = {}, teacher }: RetrainContext,
  data: DataDescription,
  settings: Readonly<Record<string, unknown>> & { readonly seed: number },
  started: Date,
): Promise<(results: object) => RunRecord> {
  const files = data.files.map(({ file, sha256 }): RunInput => ({ role: 'data', name: file, sha256 }));
  const inputs = [
    ...files,
    ...(teacher ? [{ ...modelInput(teacher.model.checkpoint), role: 'teacher' }] : []),
    ...(await calibrationsOf(checkpoint)),
  ];
  const details = detailsOf(checkpoint, opened, {
    inputs,
    settings: { ...settings, data },
    seed: settings.seed,
    device,
  });
  return (results) => newRecord({ ...details, kind: 'retrain', results, started });
}
