/** Blocks or bits: measures the files that a model can be shipped as, and says which of them are worth their bytes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mayOverlap, type ReadText, withShare } from '../../format/text-share';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { requireBlocks } from '../../engine/checkpoint/block-list';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { throwIfCancelled } from '../../engine/errors';
import { CALIBRATION_IS_EVALUATION } from '../../engine/evaluate/calibrated';
import { bestWithin, isApart, isEfficient, lossBehind } from '../../engine/evaluate/frontier';
import { loadRows, type Rows } from '../../engine/evaluate/rows';
import { requireSpace } from '../../engine/files/target';
import { HEAL_DEFAULTS } from '../../engine/heal/methods';
import { requireHealable } from '../../engine/heal/healable';
import { type Criterion, CRITERIA, criterionWork, needsCalibration } from '../../engine/importance/criteria';
import { scoringInputs, type ScoringText } from '../../engine/importance/choice';
import { DEFAULT_DRAWING } from '../../engine/importance/drawing';
import { type Ranking, selectByScores } from '../../engine/importance/ranking';
import { runCriterion } from '../../engine/importance/run-criterion';
import { readScores } from '../../engine/importance/scores-file';
import { keepList } from '../../engine/importance/select';
import { unfitScores } from '../../engine/importance/text-fit';
import { uncertainWarning } from '../../engine/importance/uncertain';
import { inPhases, type JobOptions, labelled } from '../../engine/progress';
import { detailsOf, fileInput } from '../../engine/records/details';
import { modelName, type RunInput } from '../../engine/records/record';
import { option } from '../../engine/option-token';
import type { OptionsFor } from '../kinds';
import type { FrontierPoint, FrontierResult } from '../results/frontier';
import { type JobContext, modelOptions, type RunEnd, secondsSince, watchDevice } from '../run';
import { fileCommands } from './frontier-commands';
import {
  HEALING_PASSES,
  isWeighed,
  measureFiles,
  measureOriginal,
  type MeasuredPoint,
  type Measuring,
} from './frontier-files';
import { amountsOf, type Asked, plannedFiles, requireReachable, Sizes, typesOf } from './frontier-plan';
import { judgingRows } from './judging-rows';
import { scoringText } from './select-blocks';

type Options = OptionsFor<'frontier'>;

export async function runFrontier(options: Options, context: JobContext): Promise<RunEnd<FrontierResult>> {
  const start = performance.now();
  const checkpoint = await openCheckpoint(options.checkpoint);
  const architecture = requireArchitecture(checkpoint);
  const asked = await askedFiles(options, checkpoint, architecture, context);
  const measured = await loadRows(judgingRows(options), checkpoint, architecture, context.job);
  measured.warnings.forEach(context.warn);
  const [ranking, measuring] = inPhases(context.job, sharesOf(options, architecture, asked, measured));
  const order = await orderOf(options, checkpoint, asked, context, labelled(ranking, 'ranking the blocks'));
  const removedAt = (count: number): readonly number[] =>
    order && count > 0 ? selectByScores(order.ranking, architecture.layers.length, count, asked.kept) : [];
  const files = await plannedFiles(options.fit, asked, removedAt, context);
  const { hooks, device } = watchDevice(context.hooks);
  const folder = await mkdtemp(join(tmpdir(), 'coppice-frontier-'));
  try {
    await requireSpace(join(folder, 'file'), Math.max(...files.map(({ bytes }) => bytes)));
    const compute = modelOptions(options, { ...context, hooks });
    const around: Measuring = {
      options,
      checkpoint,
      rows: measured.rows,
      folder,
      compute,
      texts: new Map(),
      weighing: new Map(),
    };
    const [whole, rest] = inPhases(measuring, [{ share: 1 }, { share: files.length }]);
    const original = await measureOriginal(around, whole);
    const points = await measureFiles(files, removedAt, around, context, rest);
    const weighing = [...around.weighing.values()];
    const read = weighing.map(({ sha256, share }): ReadText => ({ sha256: sha256!, ...withShare(share) }));
    const used = [...(order?.calibration ? [order.calibration] : []), ...around.texts.values(), ...read];
    const judged = { sha256: measured.input.sha256!, share: measured.input.share };
    const calibrated = used.some((text) => mayOverlap(text, judged));
    if (calibrated) context.warn(CALIBRATION_IS_EVALUATION);
    const provider = device()!;
    const { nll: _, parameters: __, ...numbers } = original;
    const result: FrontierResult = {
      model: { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity },
      criterion: order?.criterion ?? options.criterion,
      order: [...new Set(files.map(({ count }) => count))].map(removedAt),
      original: numbers,
      ...judge(points, options, checkpoint),
      text: {
        name: measured.input.name,
        sha256: measured.input.sha256!,
        rows: measured.rows.length,
        length: measured.rows[0].length,
      },
      weighed: files.some(({ type }) => isWeighed(type, options)),
      calibrated,
      seconds: secondsSince(start),
      device: provider.provider,
      precision: 'float32',
    };
    const chose = order?.inputs ?? [];
    const alone = weighing.filter(({ sha256 }) => !chose.some((input) => input.sha256 === sha256));
    const inputs = [measured.input, ...chose, ...alone, ...healingInputs(around.texts)];
    const settings = settingsOf(options, asked, measured, order);
    return { result, run: detailsOf(checkpoint, options, { inputs, settings, seed: options.seed, device: provider }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is asked for, checked against headers, before anything is computed. @throws UserError */
async function askedFiles(
  options: Options,
  checkpoint: Checkpoint,
  { layers }: Architecture,
  { job }: JobContext,
): Promise<Asked> {
  requireBlocks(options.keep ?? [], layers.length, option('keep'));
  const kept = keepList(layers, options);
  const amounts = amountsOf(options, layers.length, kept);
  if (options.heal && amounts.most > 0) requireHealable(checkpoint.architecture!, options.method);
  const weighed = options.imatrix && options.calibration !== undefined;
  const sizes = new Sizes(checkpoint, weighed, job.signal);
  const asked = { ...amounts, kept, sizes, types: await typesOf(options, sizes) };
  // A type that the model cannot have is refused here.
  await Promise.all(asked.types.map((type) => sizes.of(type, [])));
  await requireReachable(options, checkpoint, asked);
  return asked;
}

interface Order {
  readonly criterion: Criterion;
  readonly ranking: Ranking;
  readonly calibration?: ScoringText;
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The order in which blocks go, from a file of scores or found now; undefined where none goes. */
async function orderOf(
  options: Options,
  checkpoint: Checkpoint,
  { kept, most }: Asked,
  context: JobContext,
  job: JobOptions,
): Promise<Order | undefined> {
  if (most === 0) return undefined;
  const { criterion, scores } = options;
  if (scores !== undefined) {
    const read = await readScores(scores, checkpoint, checkpoint.architecture!.layers.length);
    if (read.unfit) context.warn(unfitScores(read.unfit));
    const removed = selectByScores(read.ranking, checkpoint.architecture!.layers.length, most, kept);
    const uncertain = read.screened && uncertainWarning(read.ranking, removed, read.screened);
    if (uncertain !== undefined) context.warn(uncertain);
    return {
      criterion: CRITERIA.find((name) => name === read.criterion) ?? criterion,
      ranking: read.ranking,
      ...(read.calibration && { calibration: read.calibration }),
      inputs: [fileInput('scores', scores, read.sha256), ...scoringInputs(read.calibration)],
      settings: {},
    };
  }
  const scope = { count: most, kept, exact: most };
  const scoring = { ...options, ...modelOptions(options, context), precision: 'auto', race: true } as const;
  const scored = await runCriterion(checkpoint, criterion, scoring, job, scope);
  throwIfCancelled(job.signal);
  scored.warnings.forEach(context.warn);
  const { ranking, inputs, settings, calibration } = scored;
  return { criterion, ranking, inputs, settings, ...(calibration && { calibration: scoringText(calibration) }) };
}

/** Shares of progress, in applications of a block to a row. How many files there are is not known before the blocks are ranked. */
function sharesOf(
  { criterion, scores, samples = DEFAULT_DRAWING.samples, objective, heal, tokens = HEAL_DEFAULTS.tokens }: Options,
  architecture: Architecture,
  { most, kept, types, counts }: Asked,
  { rows }: Rows,
): { readonly share: number }[] {
  const ranks = most > 0 && scores === undefined && needsCalibration(criterion);
  const scope = { count: most, kept, objective };
  const files = types.length * (counts?.length ?? 2);
  const healings = heal ? (counts?.filter((count) => count > 0).length ?? 1) : 0;
  const healed = (healings * HEALING_PASSES * tokens) / rows[0].length;
  return [
    { share: ranks ? samples * criterionWork(architecture, criterion, scope) : 0 },
    { share: ((1 + files) * rows.length + healed) * architecture.layers.length },
  ];
}

/** What is worth its bytes, and of a size what is the best that fits. */
function judge(
  measured: readonly MeasuredPoint[],
  options: Options,
  checkpoint: Checkpoint,
): Pick<FrontierResult, 'points' | 'fit'> {
  const { fit } = options;
  const best = fit === undefined ? undefined : bestWithin(measured, fit);
  const points = measured.map((each): FrontierPoint => {
    const { nll, ...point } = each;
    const fits = fit === undefined ? undefined : point.bytes <= fit;
    return {
      ...point,
      frontier: isEfficient(point, measured),
      ...(fits !== undefined && { fits }),
      ...(fits && best && each !== best && { behind: lossBehind(nll, best.nll) }),
    };
  });
  if (fit === undefined) return { points };
  const commands = best ? fileCommands(best, options, modelName(checkpoint)) : [];
  const isClear = best !== undefined && points.every(({ behind }) => behind === undefined || isApart(behind));
  return { points, fit: { bytes: fit, point: best ? measured.indexOf(best) : null, isClear, commands } };
}

const healingInputs = (texts: ReadonlyMap<string, ReadText & { readonly name: string }>): RunInput[] =>
  [...texts.values()].map(({ name, sha256, share }) => ({ role: 'data', name, sha256, ...(share && { share }) }));

/** For the record. */
function settingsOf(
  { fit, heal, plain, method, ridge, step, stepCut, tokens, keepEnds, keep, imatrix, calibration }: Options,
  { types, counts }: Asked,
  { drawn }: Rows,
  order: Order | undefined,
): Readonly<Record<string, unknown>> {
  return {
    fit: fit ?? null,
    types,
    counts: counts ?? null,
    criterion: order?.criterion ?? null,
    ...order?.settings,
    imatrix: imatrix && calibration !== undefined,
    keepEnds,
    keep: keep ?? [],
    rows: 'text',
    ...drawn,
    heal: heal ? { method, ridge: ridge ?? null, step, stepCut, tokens: tokens ?? null, plain: plain ?? false } : null,
  };
}
