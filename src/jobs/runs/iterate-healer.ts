/** What heals between two removals: a training, or the job of the closed forms. */
import { hashText } from '../../engine/application/read';
import { shareUsedFor, splitIn, withShare } from '../../format/text-share';
import { targetOf } from '../../engine/adapter/names';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { DEFAULT_DRAWING } from '../../engine/importance/drawing';
import type { RowShape } from '../../engine/importance/estimate';
import { loadCalibration } from '../../engine/importance/calibration';
import { HEAL_DEFAULTS, type HealMethod } from '../../engine/heal/methods';
import type { RoundHealing } from '../../engine/iterate/estimate';
import { type HealedTask, NO_HEALER, type RoundHealer } from '../../engine/iterate/healer';
import { isClosed, isTrained } from '../../engine/iterate/methods';
import { Trainer } from '../../engine/iterate/trainer';
import type { IterateWorkspace } from '../../engine/iterate/workspace';
import type { Model } from '../../engine/model/model';
import type { JobOptions } from '../../engine/progress';
import { fileInput } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { exampleOfText } from '../../engine/retrain/data/example';
import { dataInputs, type TrainingData } from '../../engine/retrain/data/load';
import { runData } from '../../engine/retrain/data/run-data';
import { remainingEvaluations } from '../../engine/retrain/loop/evaluations';
import { requireTargets } from '../../engine/retrain/lora/lora-model';
import { runFacts, type RunFacts } from '../../engine/retrain/run-facts';
import { type RetrainSettings, trainOptions } from '../../engine/retrain/settings';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer';
import { SELF } from '../healing-amounts';
import type { OptionsFor } from '../kinds';
import { linearOf } from '../retrain-settings';
import type { JobContext } from '../run';

type Options = OptionsFor<'iterate'>;

/** A healer with what is known of it before it starts. */
export interface PreparedHealer {
  readonly healer: RoundHealer;
  /** For estimates. */
  readonly work: RoundHealing;
  readonly inputs: readonly RunInput[];
  /** For the record. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Identify the run, with those of the caller. */
  readonly facts: RunFacts;
}

export interface HealerSurroundings {
  readonly checkpoint: Checkpoint;
  /** The unpruned model, which may write the text. */
  readonly whole: Model;
  readonly tokenizer: Tokenizer | undefined;
  readonly workspace: IterateWorkspace;
  /** Identify the run. */
  readonly facts: RunFacts;
}

/** @throws UserError when data cannot be used; CancelledError */
export async function prepareHealer(
  options: Options,
  around: HealerSurroundings,
  context: Pick<JobContext, 'run' | 'warn'>,
  job: JobOptions,
): Promise<PreparedHealer> {
  const { method } = options;
  if (isTrained(method)) return trainer(options, around, context, job);
  if (isClosed(method)) return closedForm(options, method, context, around.facts);
  return { healer: NO_HEALER, work: { kind: 'none' }, inputs: [], settings: {}, facts: around.facts };
}

async function trainer(
  options: Options,
  { checkpoint, whole, tokenizer, workspace, facts: run }: HealerSurroundings,
  { warn }: Pick<JobContext, 'warn'>,
  job: JobOptions,
): Promise<PreparedHealer> {
  const settings = trainingSettings(options);
  if (settings.method.kind === 'lora') requireTargets(whole.architecture, settings.method);
  const data =
    (await calibrationRows(options, checkpoint)) ??
    (await runData(whole, settings, { tokenizer, teacher: whole, removed: [], cache: workspace.selfData }, job));
  const ofRound = trainOptions(settings, data);
  const optionsFor = (rounds: number) => trainOptions({ ...settings, steps: ofRound.steps * rounds }, data);
  const { method, where } = settings;
  const training = { ...shownMethod(method), ...ofRound, where };
  const facts = { ...run, ...runFacts(checkpoint.identity, training, data.describe) };
  const { steps, batch } = ofRound;
  const { train: part, heldOut, length } = data.describe;
  const evaluations = remainingEvaluations({ step: 0, log: { trace: [], evaluations: [] } }, ofRound);
  const evaluated = heldOut.looked * evaluations;
  const meanLength = Math.max(2, Math.round(part.tokens / part.examples));
  return {
    healer: new Trainer({ method, data, options: ofRound, optionsFor, where, facts, warn }, workspace),
    work: {
      ...{ kind: 'trained', full: method.kind === 'full', evaluated },
      shape: { rows: steps * batch, length: Math.min(length, meanLength) },
    },
    inputs: dataInputs(data.describe.files),
    settings: { training: { ...training, data: data.describe } },
    facts,
  };
}

/** The method with the user's names of Linears. */
const shownMethod = (method: RetrainSettings['method']): object =>
  method.kind === 'lora' && method.targets ? { ...method, targets: method.targets.map(targetOf) } : method;

/** A file of rows is trained on as it is, if no other data are named. */
async function calibrationRows(
  { data, calibration, samples, length, seed, share }: Options,
  { architecture }: Checkpoint,
): Promise<TrainingData | undefined> {
  if (data !== undefined || splitIn(share) !== undefined) return undefined;
  if (calibration?.toLowerCase().endsWith('.json') !== true) return undefined;
  const { vocabulary } = architecture!;
  const { rows, sha256 } = await loadCalibration(calibration, { samples, length, seed, share, vocabulary }, undefined);
  const train = rows.map((row) => exampleOfText(Int32Array.from(row)));
  const width = rows[0].length;
  const part = { examples: rows.length, tokens: rows.length * width, targets: rows.length * (width - 1) };
  const nothing = { examples: 0, tokens: 0, targets: 0, looked: 0 };
  const files = [
    { file: fileInput('data', calibration, sha256).name, sha256, kind: 'batches' as const, ...withShare(share) },
  ];
  const describe = { files, length: width, seed, train: part, heldOut: nothing, dropped: 0, truncated: 0 };
  return { train, heldOut: [], describe };
}

function trainingSettings(options: Options): RetrainSettings {
  const { method, rank, alpha, dropout, targets, initAdapter, memory, where, out } = options;
  const { selfTokens, prompt, trainLength, heldOut, seed, share, lr, betas, data, calibration } = options;
  const { batch, accumulate, epochs, steps, warmup, evalEvery, saveEvery, clip, weightDecay, patience, bos } = options;
  const files = data ?? (calibration === undefined ? [SELF] : [calibration]);
  return {
    method:
      method === 'full'
        ? { kind: 'full', start: 'checkpoint', memory }
        : { kind: 'lora', rank, alpha, dropout, targets: targets?.map(linearOf), start: initAdapter },
    ...{
      where,
      out,
      selfTokens,
      prompt,
      heldOut,
      seed,
      share: shareUsedFor('training', share),
      batch,
      accumulate,
      epochs,
      steps,
      warmup,
      evalEvery,
    },
    ...{ saveEvery, clip, weightDecay, patience, bos },
    data: files.includes(SELF) ? SELF : files,
    length: trainLength,
    learningRate: lr,
    betas: betas && [betas[0], betas[1]],
  };
}

/** Heals the original weights with all blocks gone so far, as `prune --rounds` does (rounds.ts says why). */
async function closedForm(
  options: Options,
  method: HealMethod,
  { run }: Pick<JobContext, 'run'>,
  facts: RunFacts,
): Promise<PreparedHealer> {
  const { checkpoint, ridge, step, stepCut, data, tokens, heldOut, seed, calibration, bos } = options;
  const share = shareUsedFor('healing', options.share);
  const { device, threads, memory } = options;
  const text = data ? { data } : calibration === undefined ? {} : { calibration };
  const settings = { ridge, step, stepCut, tokens, heldOut };
  const files = (data ?? []).filter((file) => file !== SELF);
  const given = { checkpoint, method, ...settings, seed, share, bos, device, threads, memory, ...text };
  const healer: RoundHealer = {
    async heal({ removed, weights: patch }, job): Promise<HealedTask> {
      const { result } = await run('heal', { ...given, remove: removed, patch }, { job });
      const { seconds, writingSeconds, weights } = result;
      const isWritten = result.patch !== null;
      return { trainingSeconds: seconds - writingSeconds, steps: 0, trace: [], weights, isWritten, fromOriginal: true };
    },
  };
  return {
    healer,
    work: { kind: 'closed', method, shape: healedShape(options), heldOut: heldOut ?? HEAL_DEFAULTS.heldOut },
    inputs: await Promise.all(files.map(async (file) => fileInput('data', file, await hashText(file, share), share))),
    settings: { healing: { ...settings, data: data?.map((file) => fileInput('data', file, '').name) } },
    facts: { ...facts, ...settings, healingText: data?.join() },
  };
}

function healedShape({ tokens = HEAL_DEFAULTS.tokens, length = HEAL_DEFAULTS.length }: Options): RowShape {
  return { rows: Math.ceil(tokens / length), length };
}

/** The rows that a criterion reads, for estimates. */
export const scoredShape = ({ samples, length }: Options, context: number): RowShape => ({
  rows: samples ?? DEFAULT_DRAWING.samples,
  length: Math.min(length ?? DEFAULT_DRAWING.length, context),
});
