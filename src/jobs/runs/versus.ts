/** Depth against width at equal size: makes the models of all methods and sizes, and measures each in the same way. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mayOverlap } from '../../format/text-share';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { requireBlocks } from '../../engine/checkpoint/block-list';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { CancelledError, throwIfCancelled, UserError } from '../../engine/errors';
import { CALIBRATION_IS_EVALUATION } from '../../engine/evaluate/calibrated';
import { PAPER_PROMPT } from '../../engine/evaluate/grid/protocol';
import { loadRows } from '../../engine/evaluate/rows';
import { DEPTH_METHODS, type DepthMethod, VERSUS_METHODS } from '../../engine/evaluate/versus-methods';
import { DEFAULT_DRAWING } from '../../engine/importance/drawing';
import { type Calibration, loadCalibration } from '../../engine/importance/calibration';
import { criterionWork } from '../../engine/importance/criteria';
import { withoutRows } from '../../engine/importance/run-criterion';
import { selectExplicit } from '../../engine/importance/select';
import type { DeviceReport } from '../../engine/onnx/device';
import { option } from '../../engine/option-token';
import { inPhases, type JobOptions } from '../../engine/progress';
import { detailsOf, fileInput } from '../../engine/records/details';
import { modelName } from '../../engine/records/record';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import type { GridResult } from '../results/grid';
import type { VersusModel, VersusResult } from '../results/versus';
import { refuseExisting } from '../file-target';
import { type JobContext, type RunEnd, secondsSince } from '../run';
import {
  type Able,
  isAble,
  measureAccuracies,
  measurePerplexities,
  measureSpeed,
  writeContinuations,
} from './versus-measures';
import {
  askedCounts,
  type Candidate,
  depthCandidate,
  planCandidate,
  rankings,
  sizesOf,
  type Size,
  type VersusOptions,
  wholeCandidate,
} from './versus-models';
import { judgingRows } from './judging-rows';
import { rivalCandidates, rivalsOf, widthFile } from './versus-rivals';

export async function runVersus(options: VersusOptions, context: JobContext): Promise<RunEnd<VersusResult>> {
  const start = performance.now();
  const checkpoint = await openCheckpoint(options.checkpoint);
  const architecture = requireArchitecture(checkpoint);
  if (options.plan) selectExplicit(options.plan, architecture.layers.length);
  requireBlocks(options.keep ?? [], architecture.layers.length, option('keep'));
  const calibration = await calibrationOf(options, checkpoint, architecture, context);
  if (options.saveWidths !== undefined) await requireNew(options, architecture);
  const folder = options.saveWidths ?? (await mkdtemp(join(tmpdir(), 'coppice-versus-')));
  try {
    return await compare({ options, checkpoint, architecture, calibration, folder, start }, context);
  } finally {
    if (options.saveWidths === undefined) await rm(folder, { recursive: true, force: true });
  }
}

interface Opened {
  readonly options: VersusOptions;
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly calibration: Calibration;
  /** For the widths of the rivals. */
  readonly folder: string;
  readonly start: number;
}

async function calibrationOf(
  { calibration, samples, length, seed, share, bos }: VersusOptions,
  checkpoint: Checkpoint,
  { vocabulary, bosTokenId }: Architecture,
  { job }: JobContext,
): Promise<Calibration> {
  const tokenizer = await optionalTokenizer(checkpoint.home, job);
  return loadCalibration(calibration!, { samples, length, seed, share, vocabulary, bos, bosTokenId }, tokenizer); // the job's check requires it
}

/** Refuses files of widths that are there, before the work starts. @throws UserError */
async function requireNew(options: VersusOptions, architecture: Architecture): Promise<void> {
  const { counts } = askedCounts(options, architecture);
  for (const method of rivalsOf(options)) {
    for (const count of counts) {
      await refuseExisting(widthFile(options.saveWidths!, method, count), 'Name another folder.');
    }
  }
}

async function compare(opened: Opened, context: JobContext): Promise<RunEnd<VersusResult>> {
  const { options, checkpoint, architecture, calibration, start } = opened;
  const { methods = VERSUS_METHODS } = options;
  const measured = await loadRows(judgingRows(options), checkpoint, architecture, context.job);
  measured.warnings.forEach(context.warn);
  const phases = phasesOf(opened, measured.rows.length, context.job);
  const { sizes, candidates } = await makeModels(opened, context, phases);
  const judged = { sha256: measured.input.sha256!, share: measured.input.share };
  if (options.text !== undefined && mayOverlap(calibration, judged)) context.warn(CALIBRATION_IS_EVALUATION);
  const found = await measureAll(opened, candidates, measured.rows, context, phases);
  const { grid, device } = found;
  const { rows, input, drawn } = measured;
  const result: VersusResult = {
    model: { name: modelName(checkpoint), identity: checkpoint.identity },
    methods: VERSUS_METHODS.filter((method) => methods.includes(method)),
    sizes,
    models: found.models,
    text: {
      from: options.text === undefined ? 'calibration' : 'text',
      name: input.name,
      sha256: input.sha256!,
      rows: rows.length,
      length: rows[0].length,
    },
    ...(found.prompt !== undefined && { prompt: found.prompt }),
    ...(grid && { speed: speedOf(grid, options) }),
    ended: found.ended,
    seconds: secondsSince(start),
    device: device.provider,
    precision: 'float32',
  };
  const isText = options.text !== undefined;
  return {
    result,
    run: detailsOf(checkpoint, options, {
      inputs: [
        fileInput('calibration', options.calibration!, calibration.sha256, options.share),
        ...(isText ? [input] : []),
      ],
      settings: {
        counts: sizes.map(({ count }) => count),
        methods: result.methods,
        plan: options.plan ?? null,
        multiple: options.multiple ?? null,
        calibration: withoutRows(calibration),
        keepEnds: options.keepEnds,
        keep: options.keep ?? [],
        rows: isText ? 'text' : 'calibration',
        ...drawn,
        tasks: options.tasks ?? null,
        items: options.items ?? null,
        ...(options.speed && { batch: options.batch, newTokens: options.newTokens, runs: options.runs }),
      },
      seed: options.seed,
      device,
    }),
  };
}

interface Phases {
  readonly depth: Readonly<Record<DepthMethod, JobOptions>>;
  readonly width: JobOptions;
  readonly perplexity: JobOptions;
  readonly texts: JobOptions;
  readonly speed: JobOptions;
  readonly tasks: JobOptions;
}

/** Shares of progress, in applications of a block to a row of the usual length. */
function phasesOf({ options, architecture }: Opened, rows: number, job: JobOptions): Phases {
  const {
    methods = VERSUS_METHODS,
    samples = DEFAULT_DRAWING.samples,
    speed,
    sample,
    data,
    own,
    counts,
    ratios,
    plan,
  } = options;
  const sizes = (counts ?? ratios ?? (plan ? [] : [1, 2, 3])).length + (plan ? 1 : 0);
  const blocks = architecture.layers.length;
  const models = 1 + sizes * methods.length;
  const rivals = rivalsOf(options).length;
  const [ppl, taylor, width, perplexity, texts, speeds, tasks] = inPhases(job, [
    ...DEPTH_METHODS.map((method) => ({
      share: methods.includes(method) ? samples * criterionWork(architecture, method, {}) : 0,
    })),
    { share: 8 * samples * blocks * rivals, unpaced: true },
    { share: rows * blocks * models },
    { share: sample ? 3 * blocks * models : 0, unpaced: true },
    { share: speed ? 10 * blocks * models : 0, unpaced: true },
    { share: (data ?? own) === undefined ? 0 : 50 * blocks * models, unpaced: true },
  ]);
  return { depth: { ppl, taylor }, width, perplexity, texts, speed: speeds, tasks };
}

interface Made {
  readonly sizes: readonly Size[];
  readonly candidates: readonly Candidate[];
}

/** The whole model first, then size by size: the plan, the choices of blocks, the rivals. */
async function makeModels(
  { options, checkpoint, architecture, calibration, folder }: Opened,
  context: JobContext,
  phases: Phases,
): Promise<Made> {
  const { checkpoint: path, plan } = options;
  const { kept, counts } = askedCounts(options, architecture);
  const ranked = await rankings(checkpoint, options, context, phases.depth);
  const sizes = sizesOf(architecture, counts, kept, ranked);
  const rivals = await rivalCandidates({ checkpoint, options, calibration, sizes, folder }, context, phases.width);
  throwIfCancelled(context.job.signal);
  const candidates = sizes.flatMap(({ count }) => [
    ...(plan?.length === count ? [planCandidate(architecture, path, plan)] : []),
    ...ranked.map((each) => depthCandidate(architecture, path, each, count, kept)),
    ...rivals.filter(({ model }) => model.count === count),
  ]);
  const [first] = candidates;
  if (!candidates.some(isAble)) throw nothingToCompare(first?.model.failure);
  return { sizes, candidates: [wholeCandidate(architecture, path), ...candidates] };
}

const nothingToCompare = (why = 'no size and no method is given'): UserError =>
  new UserError('There is nothing to compare', why, 'Give other sizes, or other methods.');

interface MeasuredModels {
  readonly models: readonly VersusModel[];
  readonly prompt?: string;
  readonly grid?: GridResult;
  readonly device: DeviceReport;
  readonly ended: VersusResult['ended'];
}

/**
 * Perplexities first, since they take least, then texts, speeds and accuracies. Once the first perplexities are known, cancelling
 * ends the run with what there is.
 */
async function measureAll(
  { options, checkpoint }: Opened,
  candidates: readonly Candidate[],
  rows: Parameters<typeof measurePerplexities>[2],
  context: JobContext,
  phases: Phases,
): Promise<MeasuredModels> {
  const models = candidates.map(({ model }) => model);
  const able = candidates.filter(isAble);
  const tell = (candidate: Able, found: Partial<VersusModel>): void => {
    const at = candidates.indexOf(candidate);
    models[at] = { ...models[at], ...found };
  };
  let device: DeviceReport | undefined;
  let grid: GridResult | undefined;
  let prompt: string | undefined;
  let ended: VersusResult['ended'] = 'done';
  try {
    const { perplexity, texts, speed, tasks } = phases;
    await measurePerplexities(checkpoint, able, rows, options, context, perplexity, tell, (found) => {
      device = found;
    });
    if (options.sample && (await optionalTokenizer(checkpoint.home, context.job))) {
      ({ prompt = PAPER_PROMPT } = options);
      await writeContinuations(able, prompt, options, context, texts, tell);
    }
    if (options.speed) grid = await measureSpeed(able, options, context, speed, tell);
    if ((options.data ?? options.own) !== undefined) await measureAccuracies(able, options, context, tasks, tell);
  } catch (error) {
    if (!(error instanceof CancelledError) || !device) throw error;
    context.warn('the comparison was cancelled: what was not measured yet is missing');
    ended = 'cancelled';
  }
  return { models, prompt, grid, device: device!, ended };
}

const speedOf = (
  { prompt, inTurns, environment }: GridResult,
  { batch, newTokens, runs, warmup }: VersusOptions,
): VersusResult['speed'] => ({ batch, newTokens, runs, warmup, prompt, inTurns, environment });
