/**
 * Runs a criterion on a checkpoint: opens what the criterion needs, and returns its result and the ranking of the
 * blocks.
 */
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { blockOfTensor } from '../checkpoint/weight-names';
import { UserError } from '../errors';
import { option } from '../option-token';
import { scoreAngular } from './angular';
import { scoreBlockInfluence } from './block-influence';
import { type Calibration, calibrationWarnings, loadCalibration } from './calibration';
import { scoreDeepest } from './deepest';
import { scoreGreedy } from './greedy';
import type { LossSummary } from './losses';
import { scoreMagnitude } from './magnitude';
import { resultWarnings, scoresWarning } from './not-finite';
import { type Criterion, type CriterionSettings, needsCalibration } from './criterion';
import { scoreModulePerplexity, scorePerplexity } from './perplexity';
import { scoreTaylor } from './taylor';
import type { DeviceReport } from '../onnx/device';
import type { JobOptions } from '../progress';
import { type AngularWindow, rankBlocks } from './select';
import type { Ranking } from './ranking';
import { withWeights } from '../weights/safetensors';
import type { KeyedPatch } from '../weights/patches';
import type { RunInput } from '../records/record';
import { optionalTokenizer } from '../tokenizer/optional';
import type { Model, ModelOptions } from '../model/model';
import { withModel } from '../model/opened';
import { fullView, type Part, stepsOf, type View } from '../model/view';

export interface BlockScore {
  readonly index: number;
  readonly score: number;
  readonly ppl?: number;
  readonly meanNll?: number;
  readonly low?: number;
  readonly high?: number;
  /** Relative to the whole model on the same rows (losses.ts). */
  readonly pairedLow?: number;
  readonly pairedHigh?: number;
  /** Mean loss of each calibration row. */
  readonly rows?: readonly number[];
}

export interface ModuleScore extends Omit<BlockScore, 'index'> {
  readonly block: number;
  readonly part: Part;
}

/** One tensor of a block, by its name within the block: "mlp.up_proj.weight". */
export interface TensorScore {
  readonly block: number;
  readonly name: string;
  readonly score: number;
}

/** The result of a criterion. Its fields depend on the criterion. */
export interface CriterionResult {
  /** The whole model, if measured. */
  readonly full?: Omit<LossSummary, 'rows'> & Partial<Pick<LossSummary, 'rows'>>;
  readonly blocks?: readonly BlockScore[];
  readonly modules?: readonly ModuleScore[];
  readonly order?: readonly number[] | readonly { readonly block: number; readonly part: Part }[];
  readonly windows?: readonly AngularWindow[];
  readonly removals?: readonly { readonly block: number; readonly meanNll: number; readonly ppl: number }[];
  readonly tensors?: readonly TensorScore[];
  /** For taylor, if hidden states went to a temporary file: the size of that file. */
  readonly temporaryBytes?: number;
  /** For block-influence and angular, if any: the number of zero hidden states, which have no direction. */
  readonly zeroStates?: number;
}

export interface Scored {
  readonly result: CriterionResult;
  readonly ranking: Ranking;
  /** Undefined when the criterion needs no text. */
  readonly calibration?: Calibration;
  /** Undefined when no session was needed. */
  readonly device?: DeviceReport;
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  /** Warnings about the numbers and the text for the user. */
  readonly warnings: readonly string[];
}

export interface Scope {
  /** Number of removals of a greedy run. */
  readonly count?: number;
  /** Blocks that a greedy run must not try. */
  readonly kept?: ReadonlySet<number>;
  /** The view to score; the whole model when undefined. */
  readonly view?: View;
  readonly granularity?: 'block' | 'module';
  /** An adapter on top of the checkpoint's weights. */
  readonly adapter?: readonly KeyedPatch[];
}

type Options = CriterionSettings & Omit<ModelOptions, 'adapter'>;

/**
 * @throws UserError when the calibration cannot be used or no block is left, CancelledError
 */
export async function runCriterion(
  checkpoint: Checkpoint,
  criterion: Criterion,
  options: Options,
  job: JobOptions,
  scope: Scope = {},
): Promise<Scored> {
  if (scope.view !== undefined && stepsOf(scope.view).length === 0) {
    throw new UserError(
      'There is no block to score',
      'all of them are left out',
      `Leave out fewer with ${option('remove')}.`,
    );
  }
  if (!needsCalibration(criterion)) return withoutText(checkpoint, criterion, options, job, scope);
  const { samples, length, seed } = options;
  const { vocabulary, context } = requireArchitecture(checkpoint);
  const tokenizer = await optionalTokenizer(checkpoint.folder, job);
  const calibration = await loadCalibration(options.calibration!, { samples, length, seed, vocabulary }, tokenizer);
  const run = async (model: Model) => {
    const result = await withText(model, calibration.rows, criterion, seed, job, scope);
    const view = scope.view ?? fullView(model.architecture.layers.length);
    const broken = [
      ...(await resultWarnings(model, calibration.rows, view, result, job)),
      ...shortRun(result, scope.count),
    ];
    return { result, broken, device: model.device };
  };
  const { device: choice, threads, memory, hooks } = options;
  const { adapter } = scope;
  const { result, broken, device } = await withModel(
    checkpoint,
    { device: choice, threads, memory, hooks, adapter },
    run,
  );
  return {
    result,
    ranking: rankingOf(result),
    calibration,
    device,
    inputs: [{ role: 'calibration', name: calibration.source, sha256: calibration.sha256 }],
    settings: { calibration: withoutRows(calibration) },
    seed,
    warnings: [...calibrationWarnings(calibration, options, context), ...broken],
  };
}

/** Criteria that read only weights, or nothing. */
async function withoutText(
  checkpoint: Checkpoint,
  criterion: Criterion,
  { norm, reduction }: Options,
  job: JobOptions,
  { view }: Scope,
): Promise<Scored> {
  const magnitude =
    criterion === 'magnitude'
      ? await withWeights(checkpoint, (weights) => scoreMagnitude(weights, { norm, reduction }, job))
      : undefined;
  const { blocks: all } = magnitude ?? scoreDeepest(requireArchitecture(checkpoint).layers.length);
  const blocks = all.filter(({ index }) => view === undefined || view.attention[index] || view.ffn[index]);
  const order = rankBlocks(blocks.map(({ score }) => score)).map((i) => blocks[i].index);
  const result = { blocks, order };
  return {
    result,
    ranking: rankingOf(result),
    inputs: [],
    settings: magnitude ? { norm, reduction } : {},
    warnings: magnitudeWarnings(result, magnitude?.tensors),
  };
}

/** Warns when a greedy run found too few blocks to remove. */
function shortRun({ removals }: CriterionResult, count = 0): string[] {
  if (!removals || removals.length >= count) return [];
  if (removals.length === 0) return ['greedy removes nothing: every block is kept'];
  return [`greedy removes ${removals.length} of ${count} blocks: all others are kept`];
}

/** Warns of magnitudes that are not finite, and names the first such tensor. */
function magnitudeWarnings(result: CriterionResult, tensors: readonly TensorScore[] = []): string[] {
  const warning = scoresWarning(result);
  const tensor = tensors.find(({ score }) => !Number.isFinite(score));
  return warning === undefined ? [] : [tensor ? `${warning}: so is that of ${tensor.name}` : warning];
}

/** Criteria that run the model over the calibration rows. */
async function withText(
  model: Model,
  rows: readonly (readonly number[])[],
  criterion: Criterion,
  seed: number,
  job: JobOptions,
  { view, granularity, count = 0, kept }: Scope,
): Promise<CriterionResult> {
  switch (criterion) {
    case 'block-influence':
      return scoreBlockInfluence(model, rows, { view }, job);
    case 'taylor': {
      const { meanNll, blocks, order, tensors, fileBytes } = await scoreTaylor(model, rows, { view }, job);
      const tokens = rows.reduce((sum, row) => sum + row.length - 1, 0);
      const full = { ppl: Math.exp(meanNll), meanNll, tokens };
      const within = tensors.map(({ block, name, score }) => ({ block, name: blockOfTensor(name)!.rest, score }));
      return { full, blocks, order, tensors: within, ...(fileBytes > 0 && { temporaryBytes: fileBytes }) };
    }
    case 'angular':
      return scoreAngular(model, rows, { view }, job);
    case 'greedy': {
      const blocks = Array.from({ length: model.architecture.layers.length }, (_, block) => block);
      const candidates = kept && blocks.filter((block) => !kept.has(block));
      return scoreGreedy(model, rows, { view, count, candidates }, job);
    }
    default:
      return granularity === 'module'
        ? scoreModulePerplexity(model, rows, { view, seed }, job)
        : scorePerplexity(model, rows, { view, seed }, job);
  }
}

function rankingOf({ full, blocks, windows, removals }: CriterionResult): Ranking {
  const baseline = full && { baseline: full.meanNll };
  if (windows) return { kind: 'windows', windows, ...baseline };
  if (removals) {
    const losses = removals.map(({ meanNll }) => meanNll);
    return { kind: 'removals', removals: removals.map(({ block }) => block), losses, ...baseline };
  }
  return { kind: 'scores', scores: (blocks ?? []).map(({ score }) => score), ...baseline };
}

/** A copy without the field `rows` (token ids or losses of single rows), which is too long to print. */
export function withoutRows<T extends { readonly rows?: unknown }>(value: T): Omit<T, 'rows'> {
  const copy: Partial<{ -readonly [Key in keyof T]: T[Key] }> = { ...value };
  delete copy.rows;
  return copy as Omit<T, 'rows'>;
}

/** CriterionResult as they are printed or sent. */
export interface ResultSummary extends Omit<CriterionResult, 'full' | 'blocks' | 'modules'> {
  /** Null where it was not measured. */
  readonly full: Omit<LossSummary, 'rows'> | null;
  readonly blocks?: readonly Omit<BlockScore, 'rows'>[];
  readonly modules?: readonly Omit<ModuleScore, 'rows'>[];
}

/** CriterionResult without the losses of single rows. */
export function resultSummary({ full, blocks, modules, ...rest }: CriterionResult): ResultSummary {
  type Numbers = Omit<BlockScore, 'index' | 'rows'>;
  const numbers = ({ score, ppl, meanNll, low, high, pairedLow, pairedHigh }: Numbers): Numbers =>
    ppl === undefined ? { score } : { score, ppl, meanNll, low, high, pairedLow, pairedHigh };
  return {
    full: full ? { ppl: full.ppl, meanNll: full.meanNll, tokens: full.tokens } : null,
    ...(blocks && { blocks: blocks.map((block) => ({ index: block.index, ...numbers(block) })) }),
    ...(modules && {
      modules: modules.map((module) => ({ block: module.block, part: module.part, ...numbers(module) })),
    }),
    ...rest,
  };
}
