/** Prunes iteratively, and writes the result of the last finished round. */
import { resolve } from 'node:path';
import { modelSize } from '../../engine/checkpoint/parameters';
import { UserError } from '../../engine/errors';
import { hashText } from '../../engine/application/read';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { requireBlocks } from '../../engine/checkpoint/block-list';
import { likenessOfViews, wholeStates } from '../../engine/evaluate/likeness';
import { loadRows, type Rows } from '../../engine/evaluate/rows';
import { requireHealable } from '../../engine/heal/healable';
import { blocksToRemove } from '../../engine/importance/count';
import { criterionInfo, objectiveSetting } from '../../engine/importance/criteria';
import { keepList, requireRoom } from '../../engine/importance/select';
import { type IterateWork, roundsWork, startWork, totalWork } from '../../engine/iterate/estimate';
import { type Iterated, iterate, type IterateTask } from '../../engine/iterate/iterate';
import type { IterateSummary, IterativeRound } from '../../engine/iterate/result';
import { isClosed } from '../../engine/iterate/methods';
import { loadIterateState, NOTHING_YET } from '../../engine/iterate/state';
import { IterateWorkspace } from '../../engine/iterate/workspace';
import { writeIterated } from '../../engine/iterate/write';
import type { LastStates } from '../../engine/model/last-states';
import type { Model } from '../../engine/model/model';
import { withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import { option } from '../../engine/option-token';
import { inPhases, type JobOptions, labelled } from '../../engine/progress';
import { detailsOf, fileInput, type RunDetails } from '../../engine/records/details';
import { modelName, type RunInput } from '../../engine/records/record';
import { bosFact, type RunFacts } from '../../engine/retrain/run-facts';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer';
import type { IterateEvent, IterateRoundEvent } from '../../protocol/iterate';
import { iterate as definition } from '../definitions/iterate';
import type { OptionsFor } from '../kinds';
import { limitsOf } from '../options/limits';
import { storedDtype } from '../options/output';
import { type JobContext, modelOptions, recordedOptions, type RunEnd, secondsSince } from '../run';
import { judgingRows } from './judging-rows';
import { type PreparedHealer, prepareHealer, scoredShape } from './iterate-healer';

type Options = OptionsFor<'iterate'>;
type Context = JobContext<IterateEvent>;

/** How many blocks go. */
interface Amount {
  readonly kept: ReadonlySet<number>;
  readonly count: number;
  /** Whether the user asked for that count, and not for limits alone. */
  readonly isAsked: boolean;
}

export async function runIterate(options: Options, context: Context): Promise<RunEnd<IterateSummary>> {
  const start = performance.now();
  const checkpoint = await openCheckpoint(options.checkpoint);
  const architecture = requireArchitecture(checkpoint);
  if (isClosed(options.method)) requireHealable(architecture, options.method);
  if (criterionInfo(options.criterion).heals) requireHealable(architecture);
  const amount = amountOf(architecture, options);
  const workspace = await IterateWorkspace.open(options.out, checkpoint, options.resume ?? false);
  try {
    return await withModel(checkpoint, modelOptions(options, context), (whole) =>
      iterateFrom({ options, checkpoint, architecture, amount, workspace, whole, start }, context),
    );
  } finally {
    await workspace.leave();
  }
}

interface Opened {
  readonly options: Options;
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly amount: Amount;
  readonly workspace: IterateWorkspace;
  /** The unpruned model. */
  readonly whole: Model;
  readonly start: number;
}

async function iterateFrom(opened: Opened, context: Context): Promise<RunEnd<IterateSummary>> {
  const { options, checkpoint, architecture, workspace, whole } = opened;
  const [reading, running, writing] = inPhases(context.job, [
    { share: 2, unpaced: true },
    { share: 97 },
    { share: 1, unpaced: true },
  ]);
  const measured = await loadRows(judgingRows(options), checkpoint, architecture, reading);
  measured.warnings.forEach(context.warn);
  const tokenizer = await optionalTokenizer(checkpoint.home, reading);
  const around = { checkpoint, whole, tokenizer, workspace, facts: factsOf(opened, measured, tokenizer) };
  const prepared = await prepareHealer(options, around, context, reading);
  const teacher = await timed(() => wholeStates(whole, measured.rows, labelled(reading, 'the original')));
  try {
    const iterated = await iterateWith(opened, { measured, prepared, teacher }, context, [reading, running]);
    return await finish(opened, { iterated, measured, prepared }, context, writing);
  } finally {
    await teacher.value.close();
  }
}

interface Timed<T> {
  readonly value: T;
  readonly seconds: number;
}

async function timed<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const start = performance.now();
  return { value: await work(), seconds: secondsSince(start) };
}

interface Ready {
  readonly measured: Rows;
  readonly prepared: PreparedHealer;
  readonly teacher: Timed<LastStates>;
}

async function iterateWith(
  { options, checkpoint, architecture, amount, workspace, whole }: Opened,
  { measured, prepared, teacher: { value: teacher, seconds } }: Ready,
  context: Context,
  [reading, running]: readonly JobOptions[],
): Promise<Iterated> {
  const { rows } = measured;
  const { facts, healer } = prepared;
  const state = workspace.found ? await loadIterateState(workspace.state, facts) : NOTHING_YET;
  const view = fullView(architecture.layers.length);
  const own = await timed(() => likenessOfViews(whole, teacher, rows, [view], labelled(reading, 'the original')));
  const work: IterateWork = {
    criterion: options.criterion,
    objective: options.objective,
    kept: amount.kept,
    scored: scoredShape(options, architecture.context),
    measured: { rows: rows.length, length: rows[0].length },
    healing: prepared.work,
  };
  const shares = roundsWork(architecture, work, amount.count);
  const perSecond = startWork(architecture, work) / (seconds + own.seconds);
  const oneShot = options.oneShotEach ? 'each' : options.oneShot ? 'end' : undefined;
  context.emit(planOf(shares, perSecond, state.rounds.length, oneShot));
  return iterate(
    {
      checkpoint,
      criterion: options.criterion,
      scoring: options,
      ...amount,
      limits: limitsOf(options),
      oneShot,
      rows,
      teacher,
      full: own.value[0],
      healer,
      answers: answersOf(options, context),
      compute: modelOptions(options, context),
      workspace,
      facts,
      shares,
      onRound: (round) => context.emit(roundEvent(round)),
      warn: context.warn,
    },
    state,
    running,
  );
}

/** Has the job `tasks` ask what is left, and for probes the original beside it: a probe that it cannot do does not count. */
function answersOf(options: Options, context: Context): IterateTask['answers'] {
  const { checkpoint, minAccuracy, maxProbeLoss, taskData: data, tasks, own, taskLimit: limit, bos } = options;
  if (minAccuracy === undefined && maxProbeLoss === undefined) return undefined;
  const { device, threads, memory } = options;
  const asked = { data, tasks, own, limit, bos, device, threads, memory };
  return async (remove, heal, job) => {
    const healed = { label: 'healed', checkpoint, remove, heal };
    if (maxProbeLoss === undefined) {
      const { result } = await context.run('tasks', { columns: [healed], ...asked }, { job });
      return { accuracy: ('models' in result ? result.models[0] : result).average! }; // tasks were asked
    }
    const columns = [{ label: 'original', checkpoint }, healed];
    const { result } = await context.run('tasks', { columns, ...asked, probes: ['all'] }, { job });
    if (!('models' in result)) throw new Error('two models have one result');
    const { probeLoss } = result.differences[0];
    if (typeof probeLoss !== 'number') throw noProbe(maxProbeLoss);
    return { probeLoss, ...(minAccuracy !== undefined && { accuracy: result.models[1].average! }) };
  };
}

const noProbe = (limit: number): UserError =>
  new UserError(
    `${option('maxProbeLoss', limit)} says nothing here`,
    'the original is no better than guessing in every probe, so that none can lose anything',
    'Leave it out, and limit the perplexity or the KL divergence.',
  );

/** How long each round takes at this speed. */
function planOf(
  shares: ReturnType<typeof roundsWork>,
  perSecond: number,
  finished: number,
  oneShot: 'end' | 'each' | undefined,
): IterateEvent {
  const rounds = shares.map((share, r) => ({ round: r + 1, seconds: totalWork(share) / perSecond }));
  const healing = shares.reduce((sum, share) => sum + share.healing, 0) / perSecond;
  const extra = oneShot === undefined ? 0 : oneShot === 'end' ? healing : (healing * (shares.length + 1)) / 2;
  const left = rounds.slice(finished).reduce((sum, round) => sum + round.seconds, 0);
  return { type: 'plan', rounds, seconds: left + extra, finished };
}

const roundEvent = ({ round, block, removed, pruned, healed, seconds }: IterativeRound): IterateRoundEvent => ({
  type: 'round',
  ...{ round, block, removed, pruned, healed, seconds },
});

/** @throws UserError when so many blocks cannot be removed */
function amountOf(architecture: Architecture, options: Options): Amount {
  const { keep = [], keepEnds, count, ratio, targetParams } = options;
  const { length } = architecture.layers;
  requireBlocks(keep, length, option('keep'));
  const kept = keepList(architecture.layers, { keepEnds, keep });
  const size = modelSize(architecture);
  const asked =
    count ??
    (ratio === undefined ? undefined : blocksToRemove({ kind: 'ratio', ratio }, size)) ??
    (targetParams === undefined ? undefined : blocksToRemove({ kind: 'target', parameters: targetParams }, size));
  requireRoom(length, asked ?? 1, kept);
  return { kept, count: asked ?? Math.min(length - 1, length - kept.size), isAsked: asked !== undefined };
}

/** Everything that the numbers of the rounds depend on, besides the training. The goal may change in between. */
function factsOf(
  { options, checkpoint, architecture, amount: { kept } }: Opened,
  { input, drawn: { bos: _bos, usualBos: _usual, ...drawn } }: Rows,
  tokenizer: Tokenizer | undefined,
): RunFacts {
  const { criterion, objective, norm, reduction, budget, generations, method } = options;
  const { samples, length, seed, share, calibration } = options;
  return {
    model: checkpoint.identity,
    method,
    criterion,
    ...{ objective, norm, reduction, budget, generations, samples, seed },
    rowLength: length,
    share,
    calibration: calibration === undefined ? undefined : resolve(calibration),
    kept: [...kept],
    measured: input.sha256,
    drawn,
    ...bosFact(options.bos, { tokenizer, bosTokenId: architecture.bosTokenId }),
  };
}

interface Finished {
  readonly iterated: Iterated;
  readonly measured: Rows;
  readonly prepared: PreparedHealer;
}

/** The text that blocks are scored on, where another one is measured on. */
async function scoredInputs({ text, calibration, share }: Options, { input }: Rows): Promise<RunInput[]> {
  if (text === undefined || calibration === undefined) return [];
  const scored = fileInput('calibration', calibration, await hashText(calibration, share), share);
  return scored.sha256 === input.sha256 && scored.share === input.share ? [] : [scored];
}

async function finish(
  { options, checkpoint, workspace, whole, start }: Opened,
  { iterated, measured, prepared }: Finished,
  { started, note }: Context,
  job: JobOptions,
): Promise<RunEnd<IterateSummary>> {
  const { weights, ...outcome } = iterated;
  const { criterion, objective, count, ratio, targetParams, keep = [], keepEnds, method } = options;
  const { samples, length } = options;
  const details: RunDetails = detailsOf(checkpoint, options, {
    inputs: [measured.input, ...(await scoredInputs(options, measured)), ...prepared.inputs],
    settings: {
      ...recordedOptions(definition, options),
      ...objectiveSetting(criterion, objective),
      ...{ count, ratio, targetParams, keep, keepEnds },
      limits: limitsOf(options),
      ...{ tasks: options.tasks, taskLimit: options.taskLimit },
      samples,
      length,
      measured: measured.drawn,
      dtype: storedDtype(options.dtype),
      ...prepared.settings,
      removed: outcome.rounds.at(-1)!.removed,
    },
    seed: options.seed,
    device: whole.device,
  });
  const { rows } = measured;
  const text = { name: measured.input.name, sha256: measured.input.sha256!, rows: rows.length, length: rows[0].length };
  const facts = { criterion, method, text, ...outcome };
  const made = { outcome, weights, method, criterion, dtype: storedDtype(options.dtype), details, started };
  const written = await writeIterated(checkpoint, options.out, { ...made, results: facts }, job);
  for (const { name, why } of written.leftBehind) note(`${name} was not copied: ${why}`);
  await workspace.clear();
  const model = { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity };
  const { record: _, ...reduction } = written;
  return {
    result: {
      ...{ model, ...facts, ...reduction, seconds: secondsSince(start) },
      ...{ device: whole.device.provider, precision: whole.precision },
    },
    run: details,
  };
}
