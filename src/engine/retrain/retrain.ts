/**
 * Retraining from start to end (Shortened LLaMA §3.3; its later version for continued pre-training): data, model,
 * teacher, training with a state that can be resumed, and the adapter or checkpoint at the end.
 */
import { askedRows, askedWarning } from '../importance/text-fit';
import { adaptableNames, type Architecture, longestText, withoutLayers } from '../checkpoint/architecture';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { option, set } from '../option-token';
import { inPhases, type JobOptions, type Phase } from '../progress';
import { calibrationsOf } from '../records/calibrations';
import { wholeBlocks } from '../importance/select';
import { detailsOf } from '../records/details';
import { modelInput, newRecord, type RunRecord } from '../records/record';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { Model, ModelOptions } from '../model/model';
import { requireNoAdapter } from '../model/no-adapter';
import { type RemovedPart, viewWithout } from '../model/view';
import { adapterPatches } from '../adapter/adapter';
import { Backprop } from './loop/backprop';
import { evaluationRows } from './data/held-out';
import { type DataDescription, dataInputs, type TrainingData } from './data/load';
import { writeOutput } from './output';
import { type RetrainResult, resultJson, resultOf } from './report';
import { requestOf } from './request';
import { runData } from './data/run-data';
import { DEFAULTS } from './defaults';
import { type LoraMethod, type RetrainSettings, trainOptions } from './settings';
import { type PreparedTraining, prepareTraining } from './prepare';
import { openTeacher, teacherFacts, type TeacherSource } from './teacher/open-teacher';
import { requireSameTokens } from './teacher/tokens';
import { longestRow } from './data/example';
import { DivergedError } from './loop/explosion';
import { requireFullMemory } from './full/memory';
import { largestRank, requireTargets } from './lora/lora-model';
import { bosFact, runFacts } from './run-facts';
import type { TrainOptions } from './loop/options';
import { train, type TrainHooks, type TrainInputs } from './loop/train';
import type { TrainingState } from './loop/training-state';
import { Workspace } from './loop/workspace';
import type { PatchFile } from '../weights/patch-file';
import { integerWeights } from './integer-weights';
import type { KeyedPatch } from '../weights/patches';
import { trainedPatches } from './full/write-trained';
import { heldOutLikeness, type LikenessQuestion } from './likeness';
import { unprunedLoss } from './unpruned-loss';
import { type TrainedSelection, selectionAt } from './selection';

export interface RetrainStart {
  readonly parameters: number;
  readonly options: TrainOptions;
  readonly data: DataDescription;
  /** The smallest and the largest number of rows in a step. */
  readonly rows: readonly [number, number];
  /** Whether a stopped run is resumed. */
  readonly resumed: boolean;
  /** Given settings that have no effect, because nothing is held out. */
  readonly idle: readonly ('evalEvery' | 'patience')[];
  /** The warning for examples that the model would read better with or without a begin-of-text token. */
  readonly warning?: string;
}

export interface RetrainContext {
  readonly removed: readonly RemovedPart[];
  /** Not needed for batches of ids. */
  readonly tokenizer?: Tokenizer;
  readonly teacher?: TeacherSource;
  /** The healed weights that the model was opened with, if any. */
  readonly healed?: PatchFile;
  /** The unpruned model, which writes the text that is asked of it. It is the student itself unless that is healed. */
  readonly author?: Model;
  /** Opens the unpruned model, whose held-out loss stands beside that of the training; not measured when undefined. */
  readonly openUnpruned?: () => Promise<UnprunedModel>;
  readonly hooks?: TrainHooks & {
    readonly onStart?: (start: RetrainStart) => void;
    /** The loss of the unpruned model on the rows of every evaluation, in nats. */
    readonly onUnpruned?: (loss: number) => void;
  };
  /** How the model was opened, for the record. */
  readonly opened?: Pick<ModelOptions, 'device' | 'threads' | 'memory'>;
}

/** The unpruned model, which is open anyway or only for this. */
export interface UnprunedModel {
  readonly model: Model;
  readonly close: () => Promise<void>;
}

/**
 * Trains, and writes the result to `settings.out`.
 * @throws UserError when settings or data cannot be used or the loss explodes; CancelledError once cancelled. The
 *   progress so far is kept in `<out>.training`, for `settings.resume`
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
  requireNoAdapter(model, 'retrain');
  const { method, where, seed = DEFAULTS.seed, resume = false } = settings;
  const selection = where && (await selectionAt(where, model, removed));
  checkSettings(model, removed, settings, selection);
  const [gather, compare, learn, write] = inPhases(job, phasesOf(settings, context));
  const workspace = await Workspace.open(settings.out, model.checkpoint, resume);
  try {
    if (context.teacher) await requireSameTokens(context.teacher.model.checkpoint, context.tokenizer, job);
    const { tokenizer, teacher } = context;
    const sources = { tokenizer, teacher: teacher?.model, removed, cache: workspace.selfData };
    const author = context.author ?? model;
    const data = await runData(author, settings, sources, gather);
    const healed = context.healed?.note.digest;
    const frozen = settings.precision && (await integerWeights(model));
    const training = await prepareTraining(model, removed, { method, seed, selection, healed, frozen }, data);
    const options = trainOptions(settings, data);
    const parameters = [...training.parameters.values()].reduce((sum, { values }) => sum + values.length, 0);
    const source = { tokenizer, bosTokenId: model.architecture.bosTokenId };
    const asked = askedRows(settings.bos, data.describe.bos, source);
    const ids = data.train.map((example) => example.ids);
    const warning = settings.data === 'self' ? undefined : await askedWarning(author, ids, asked, job);
    context.hooks?.onStart?.({
      ...(warning !== undefined && { warning }),
      parameters,
      options,
      data: data.describe,
      resumed: workspace.found,
      rows: rowsOf(data, options),
      idle: idleSettings(settings, data),
    });
    const prompted = data.describe.files.some(({ kind }) => kind === 'instructions');
    const facts = {
      ...training.settings,
      ...options,
      removed,
      healed,
      ...teacherFacts(teacher),
      ...(prompted && { prompt: settings.prompt ?? 'alpaca' }),
      ...bosFact(settings.bos, source),
    };
    const run = runFacts(model.checkpoint.identity, facts, data.describe);
    const request = requestOf(model, removed, settings, context, context.opened ?? {});
    const state = { path: workspace.state, run, request, resume };
    const unpruned = await lossOfUnpruned(context, data, options, settings, compare);
    const question = likenessQuestion(model, context, data, options);
    const patches = (): readonly KeyedPatch[] => trainedWeights(model, training, removed);
    const before = question && (await heldOutLikeness({ ...question, patches: patches() }, job));
    const trained = await runTraining(
      model,
      training,
      { data, options, state, context, taught: workspace.taught },
      learn,
    );
    const after = question && (await heldOutLikeness({ ...question, patches: patches() }, job));
    const result = resultOf(trained, {
      ...(before && after && { likeness: { before, after } }),
      unpruned,
      parameters,
      removed,
      data: data.describe,
      device: model.device,
      precision: settings.precision ?? 'float32',
      seconds: (performance.now() - clock) / 1000,
    });
    const record = await recorder(
      model,
      context,
      data.describe,
      { ...facts, precision: settings.precision, dtype: settings.dtype },
      started,
    );
    const out = await writeOutput(
      model,
      settings,
      { ...training, healed: context.healed, takesHealed: context.healed?.path === workspace.healed },
      facts,
      (extra) => record({ ...resultJson(result), ...extra }),
      write,
    );
    await workspace.clear();
    return { ...result, ...out, seconds: (performance.now() - clock) / 1000 };
  } catch (error) {
    if (error instanceof DivergedError) await workspace.forget();
    throw error;
  } finally {
    await workspace.leave();
  }
}

/** The loss of the unpruned model on the rows of every evaluation, in their arithmetic; undefined if it is not to be known. */
async function lossOfUnpruned(
  { openUnpruned, hooks }: RetrainContext,
  { heldOut }: TrainingData,
  { seed }: TrainOptions,
  { precision }: RetrainSettings,
  job: JobOptions,
): Promise<number | undefined> {
  if (!openUnpruned || heldOut.length === 0) return undefined;
  const { model, close } = await openUnpruned();
  try {
    const frozen = precision && (await integerWeights(model));
    const loss = await unprunedLoss(model, evaluationRows(heldOut, seed), frozen, job);
    hooks?.onUnpruned?.(loss);
    return loss;
  } finally {
    await close();
  }
}

/** On which rows the model is compared with the unpruned one; undefined if it is whole, or nothing is held out. */
function likenessQuestion(
  model: Model,
  { removed, healed }: RetrainContext,
  { heldOut }: TrainingData,
  { seed }: TrainOptions,
): Omit<LikenessQuestion, 'patches'> | undefined {
  if (heldOut.length === 0 || (removed.length === 0 && healed === undefined)) return undefined;
  const view = viewWithout(model.architecture.layers.length, removed);
  return { model, view, below: healed ? [healed.patches] : [], heldOut: evaluationRows(heldOut, seed) };
}

/** The trained parameters as they are now, as changes of the model's weights. */
function trainedWeights(
  { architecture }: Model,
  { adapter, parameters }: PreparedTraining,
  removed: readonly number[],
): readonly KeyedPatch[] {
  return adapter ? adapterPatches(adapter()) : [...trainedPatches(architecture, removed, parameters)];
}

/**
 * The phases: data, the unpruned model, training, output. The length of the training depends on the data, so it is a guess until the data
 * are ready.
 */
function phasesOf({ data }: RetrainSettings, { openUnpruned }: RetrainContext): Phase[] {
  // Generating a text takes about a third of the time of training on it twice.
  const [gathering, training] = data === 'self' ? [30, 69] : [2, 97];
  const comparing = openUnpruned ? 1 : 0;
  return [
    { share: gathering, unpaced: true },
    { share: comparing, unpaced: true },
    { share: training - comparing },
    { share: 1 },
  ];
}

function checkSettings(
  { architecture }: Model,
  removed: readonly number[],
  settings: RetrainSettings,
  selection: TrainedSelection | undefined,
): void {
  const { length = 0, method, merge = false, dtype } = settings;
  if (removed.length === architecture.layers.length) {
    throw new UserError(
      'Cannot retrain without a block',
      `the model has ${architecture.layers.length} blocks, and all are left out`,
      `Leave out fewer with ${option('remove')}.`,
    );
  }
  if (method.kind === 'lora') requireAdaptable(architecture, method);
  if (method.kind === 'full') {
    // The minimum. The exact amount depends on the data, which may take long to make.
    const least = { keepsBest: false, longest: 0, trained: selection?.blocks };
    requireFullMemory(withoutLayers(architecture, removed), least, method.memory);
  }
  const longest = longestText(architecture);
  if (length > longest) {
    throw new UserError(
      `Cannot train on rows of ${counted(length, 'token')}`,
      `the model's context is ${longest}`,
      `Give a ${option('retrain.length')} of at most ${longest}.`,
    );
  }
  if (dtype !== undefined && method.kind === 'lora' && !merge) {
    throw new UserError(
      'An adapter is always written as float32',
      'only a checkpoint can have another type of weights',
      `Leave ${option('dtype')} out, or ${set('merge', true, 'add')}.`,
    );
  }
}

/** Checks targets and a requested rank; the rank of a given adapter is what it is. */
function requireAdaptable(
  architecture: Architecture,
  { rank, targets = adaptableNames(architecture) }: LoraMethod,
): void {
  requireTargets(architecture, { targets });
  const most = largestRank({ architecture }, targets);
  if (rank === undefined || rank <= most) return;
  throw new UserError(
    `Cannot train an adapter of rank ${rank}`,
    `the smallest dimension of its target Linears is ${most}, and a higher rank adds nothing`,
    `Give a ${option('rank')} of at most ${most}, or other ${option('targets')}.`,
  );
}

/** Opens the teacher, if any, and trains. @throws UserError, DivergedError, CancelledError */
async function runTraining(
  model: Model,
  { trainable, parameters, masks }: PreparedTraining,
  run: Pick<TrainInputs, 'data' | 'options' | 'state'> & {
    readonly context: RetrainContext;
    /** File of what the teacher says. */
    readonly taught: string;
  },
  job: JobOptions,
): Promise<TrainingState> {
  const { data, options, state, context, taught } = run;
  const { teacher: source, hooks } = context;
  const headFrozen = trainable.head.options.trainable !== true;
  const teacher =
    source && (await openTeacher(source, { model, removed: wholeBlocks(context.removed), headFrozen }, taught));
  try {
    const backprop = await Backprop.create(model, trainable, { teacher, longest: longestRow(data) });
    try {
      return await train({ backprop, parameters, data, options, masks, state, hooks }, job);
    } finally {
      await backprop.close();
    }
  } finally {
    await teacher?.close();
  }
}

function rowsOf({ batches }: TrainingData, { batch }: TrainOptions): readonly [number, number] {
  if (!batches) return [batch, batch];
  return [batches.reduce((least, rows) => Math.min(least, rows.length), batch), batch];
}

function idleSettings(settings: RetrainSettings, { heldOut }: TrainingData): RetrainStart['idle'] {
  if (heldOut.length > 0) return [];
  return (['evalEvery', 'patience'] as const).filter((name) => settings[name] !== undefined);
}

/** Makes the record of the run from its results. */
async function recorder(
  { checkpoint, device }: Model,
  { opened = {}, teacher, healed }: RetrainContext,
  data: DataDescription,
  settings: Readonly<Record<string, unknown>> & { readonly seed: number; readonly precision?: 'int8' },
  started: Date,
): Promise<(results: object) => RunRecord> {
  const files = dataInputs(data.files);
  const inputs = [
    ...files,
    ...(healed ? [healed.input] : []),
    ...(teacher ? [{ ...modelInput(teacher.model.checkpoint), role: 'teacher' }] : []),
    ...(await calibrationsOf(checkpoint)),
  ];
  const details = detailsOf(checkpoint, opened, {
    inputs,
    settings: { ...settings, data },
    seed: settings.seed,
    device,
    precision: settings.precision,
  });
  return (results) => newRecord({ ...details, kind: 'retrain', results, started });
}
