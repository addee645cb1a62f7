/** The work of training, and how much of its data it reads. */
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { keptBlocks } from '../engine/checkpoint/block-list';
import { elements, parametersOf, parametersOfLayer } from '../engine/checkpoint/parameters';
import { outerWeights } from '../engine/checkpoint/weight-names';
import { evaluationFlops, type RowShape } from '../engine/importance/estimate';
import { headTokens } from '../engine/model/head-tokens';
import {
  evaluatedRows,
  passesOf,
  stepsOfPasses,
  TOKENS_PER_RUN,
  trainedRows,
  usualBatch,
  usualEvaluations,
  usualSaveEvery,
} from '../engine/retrain/amounts';
import { DEFAULTS } from '../engine/retrain/defaults';
import { trainedBlocks, WHERE } from '../engine/retrain/where';
import type { JsonObject } from '../format/json';
import { numberIn } from '../jobs/amounts';
import { SELF } from '../jobs/healing-amounts';
import { type DataAmount, dataAmount, ownTextAmount } from '../jobs/training-data';
import type { WorkOf } from './job';
import { evaluating, files, products, type Work, writingTexts } from './work';
import { writing } from './writing';

/** Tokens on which the trained model is compared with the unpruned one, before and after (`engine/retrain/likeness.ts`). */
const COMPARED_TOKENS = 2048;

/** Rows of a training. */
export interface TrainingAmount {
  /** Rows that are trained on, each as often as it is read. */
  readonly rows: RowShape;
  /** Steps of the optimiser. */
  readonly steps: number;
  /** Rows that differ. */
  readonly distinct: number;
  /** Rows of each evaluation, and how many follow the first step. */
  readonly evaluated: number;
  readonly evaluations: number;
  /** Text that the whole model writes first. */
  readonly writes?: RowShape;
}

/** Most tokens of a row. */
export const rowLength = (options: JsonObject, { context }: Pick<Architecture, 'context'>): number =>
  Math.min(numberIn(options, 'trainLength') ?? numberIn(options, 'length') ?? DEFAULTS.length, context);

/** Undefined if the data are not there. */
export function trainingAmount(
  options: JsonObject,
  { context }: Pick<Architecture, 'context'>,
): TrainingAmount | undefined {
  const length = rowLength(options, { context });
  const heldOut = numberIn(options, 'heldOut');
  const data = dataOf(options, length);
  const steps = numberIn(options, 'steps');
  if (data === undefined && steps === undefined) return undefined;
  const trained = data && trainedRows(data.examples, heldOut);
  const asked = numberIn(options, 'batch') ?? (trained ? usualBatch(trained) : DEFAULTS.batch);
  const batch = Math.min(asked * (numberIn(options, 'accumulate') ?? 1), trained ?? Infinity);
  const taken = steps ?? stepsOfPasses(numberIn(options, 'epochs') ?? DEFAULTS.epochs, trained!, batch);
  const rows = batch * taken;
  // Where the data are not there, they are much.
  const evaluated = evaluatedRows(data?.examples ?? Infinity, heldOut);
  return {
    rows: { rows, length: data?.length ?? length },
    steps: taken,
    distinct: trained ?? Infinity,
    evaluated,
    evaluations: usualEvaluations(rows, evaluated),
    ...(data && isOwn(options) && { writes: { rows: data.examples, length } }),
  };
}

/** The unpruned model writes the data. */
export const isOwn = ({ data, calibration }: JsonObject): boolean =>
  Array.isArray(data) ? data.includes(SELF) : data === undefined && calibration === undefined;

function dataOf(options: JsonObject, length: number): DataAmount | undefined {
  const { data, calibration } = options;
  if (isOwn(options)) return ownTextAmount(length, numberIn(options, 'selfTokens'));
  const named: readonly unknown[] = Array.isArray(data) ? data : [data ?? calibration];
  const paths = named.filter((each) => typeof each === 'string');
  return paths.length < named.length ? undefined : dataAmount(paths, length);
}

/** Text that is written, training with its evaluations, the unpruned model beside it, the teacher's pass, and a checkpoint. */
export const training: WorkOf = (job) => {
  const { options, model, removed, models } = job;
  const amount = trainingAmount(options, model.architecture);
  const teacher = models.at(options.teacher)?.architecture;
  if (amount === undefined || (options.teacher !== undefined && teacher === undefined)) return undefined;
  const { rows, distinct, evaluated, evaluations, writes } = amount;
  const full = options.full === true;
  const whole = model.architecture;
  const trained = withoutLayers(whole, removed);
  const compared = removed.length === 0 ? 0 : 2 * Math.min(evaluated, COMPARED_TOKENS / Math.max(1, rows.length));
  // One evaluation comes before the first step.
  const passes = { ...rows, rows: passesOf(rows.rows, full) + (1 + evaluations) * evaluated + compared };
  const unpruned = { ...rows, rows: evaluated + compared };
  return [
    ...(writes ? [writingTexts(whole, writes)] : []),
    products(trained, 'train', evaluationFlops(trained, passes)),
    ...(full ? moving(trained, amount, options, removed) : []),
    ...(removed.length > 0 ? [evaluating(whole, unpruned)] : []),
    ...(teacher ? asking(teacher, { ...rows, rows: Math.min(rows.rows, distinct) }) : []),
    ...(options.merge === true || full ? [writing(job)] : ([] as Work[])),
  ];
};

const BYTES = 4;
/** Values, two moments and the best values are in a saved state. */
const SAVED = 4;

/**
 * What every weight takes beside the products: gradients come out of the sessions and are summed up, those of the head after each
 * of its runs; each step moves every weight by two moments; and states are saved.
 * @param trained the model without the blocks `removed`
 */
export function moving(
  trained: Architecture,
  { steps, rows }: Pick<TrainingAmount, 'steps' | 'rows'>,
  options: JsonObject,
  removed: readonly number[],
): Work[] {
  const blocks = blocksAt(options.where, trained, removed);
  const weights = blocks
    ? blocks.reduce((sum, block) => sum + parametersOfLayer(trained, block), 0)
    : parametersOf(trained);
  const tokens = (rows.rows * rows.length) / Math.max(1, steps);
  const runs = Math.ceil(tokens / TOKENS_PER_RUN.full);
  const heads = blocks ? 0 : Math.ceil(tokens / headTokens(trained, true)) * elements(outerWeights(trained).head.shape);
  const saves = Math.ceil(steps / (numberIn(options, 'saveEvery') ?? usualSaveEvery(steps)));
  return [
    { kind: 'moved', bytes: BYTES * steps * ((1 + runs) * weights + heads) },
    files(BYTES * SAVED * saves * weights),
  ];
}

/** The blocks that are trained alone, as the model without `removed` counts them; undefined for all weights. */
function blocksAt(where: unknown, { layers }: Architecture, removed: readonly number[]): readonly number[] | undefined {
  const named = WHERE.find((each) => each === where);
  if (named === undefined || named === 'all' || (named === 'cuts' && removed.length === 0)) return undefined;
  const blocks = layers.length + removed.length;
  return trainedBlocks(named, keptBlocks(blocks, removed), blocks);
}

/** A teacher is asked once about each row: a forward pass, and its head once more for the mean rows of its distributions. */
function asking(teacher: Architecture, rows: RowShape): Work[] {
  const { vocabulary, hidden } = teacher;
  const head = 2 * rows.rows * rows.length * vocabulary * hidden;
  return [evaluating(teacher, rows), products(teacher, 'evaluate', head)];
}
