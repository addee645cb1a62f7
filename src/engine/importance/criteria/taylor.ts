/**
 * The Taylor criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_taylor.py`): Σ |w ∂L/∂w| over a block's
 * weights, the first-order estimate of the loss change if each weight were zeroed. L is the mean token loss over the
 * whole calibration set as one batch, so the absolute value is taken after the sum over samples. Norms count, biases do
 * not.
 *
 * Memory is that of one block, for any number of samples (block-gradients.ts).
 */
import { foldGradients } from '../block-gradients';
import { CUT_WORK } from '../cut-work';
import type { CriterionParts, ScoreRows } from '../criterion';
import type { CriterionResult } from '../result';
import { blockOfTensor } from '../../checkpoint/weight-names';
import { isCounted, weightOf } from '../../checkpoint/weight-key';
import type { Graph, Value } from '../../onnx/graph';
import { abs, mul } from '../../onnx/ops/elementwise';
import { reduceSum } from '../../onnx/ops/reduce';
import { type Range, numbersIn } from '../../parts/split';
import { filledFrom, type Table } from '../../parts/table';
import type { JobOptions } from '../../progress';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { requireNoAdapter } from '../../model/no-adapter';
import { fullView, type Step, stepsOf, type View } from '../../model/view';
import type { TensorScore } from './magnitude';

export interface TaylorScores {
  /** Mean token loss in nats: the L whose change is estimated. */
  readonly meanNll: number;
  readonly blocks: { index: number; score: number }[];
  readonly order: number[];
  readonly tensors: TensorScore[];
  /** Bytes of hidden states in a temporary file. */
  readonly fileBytes: number;
}

/**
 * @param rows calibration tokens, all rows of one length
 * @throws UserError for a model with an adapter on top, CancelledError
 */
export async function scoreTaylor(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length) }: { readonly view?: View } = {},
  job: JobOptions = {},
): Promise<TaylorScores> {
  const steps = stepsOf(view);
  const { meanNll, tensors, fileBytes } = await measure(model, rows, steps, undefined, job);
  return { meanNll, ...resultOf(steps, tensors), tensors: tensors.flat(), fileBytes };
}

/** What a way forward and back finds. */
interface TaylorPass extends Pick<TaylorScores, 'meanNll' | 'fileBytes'> {
  /** Of each step, in the order of the block's weights. */
  readonly tensors: readonly (readonly TensorScore[])[];
}

/** @param own the steps that are scored; all when undefined */
async function measure(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  own: Range | undefined,
  job: JobOptions,
): Promise<TaylorPass> {
  requireNoAdapter(model, 'score by Taylor');
  const fold = {
    wants: isCounted,
    fold: (g: Graph, _name: string, weight: Value, gradient: Value) => taylorScore(g, weight, gradient),
  };
  const { meanNll, steps: folded, fileBytes } = await foldGradients(model, rows, steps, fold, job, own);
  const tensors = folded.map(({ step: { block }, weights }) =>
    [...weights].map(([name, [score]]) => {
      return { block, name: weightOf(model.architecture, { layer: block, name })!.name, score };
    }),
  );
  return { meanNll, tensors, fileBytes };
}

/** @param tensors of each step */
function resultOf(
  steps: readonly Step[],
  tensors: readonly (readonly TensorScore[])[],
): Pick<TaylorScores, 'blocks' | 'order'> {
  const blocks = steps.map(({ block }, k) => {
    return { index: block, score: tensors[k].reduce((sum, { score }) => sum + score, 0) };
  });
  const order = rankBlocks(blocks.map(({ score }) => score)).map((i) => blocks[i].index);
  return { blocks, order };
}

/** Σ |w ⊙ ∂L/∂w|, a scalar. */
function taylorScore(g: Graph, weight: Value, gradient: Value): Value {
  return reduceSum(g, abs(g, mul(g, weight, gradient)), [...weight.shape.keys()]);
}

/** @param tokens that have a target, of all rows */
function criterionResult(
  steps: readonly Step[],
  { meanNll, tensors, fileBytes }: TaylorPass,
  tokens: number,
): CriterionResult {
  return {
    full: { ppl: Math.exp(meanNll), meanNll, tokens },
    ...resultOf(steps, tensors),
    tensors: tensors.flat().map(({ block, name, score }) => ({ block, name: blockOfTensor(name)!.rest, score })),
    ...(fileBytes > 0 && { temporaryBytes: fileBytes }),
  };
}

export const scoreRows: ScoreRows = async (model, rows, { view = fullView(model.architecture.layers.length) }, job) => {
  const steps = stepsOf(view);
  const tokens = rows.reduce((sum, row) => sum + row.length - 1, 0);
  return criterionResult(steps, await measure(model, rows, steps, undefined, job), tokens);
};

/**
 * The work is cut by blocks only: a gradient is summed over all rows before its absolute value is taken, so no part of the
 * rows has a score of its own. A part makes the whole way forward and the loss, and goes back to the first of its blocks.
 * The blocks after its own give it the gradients of states alone. So parts early in the stack cost more.
 *
 * The model itself is variant 0 of the table, and step k is variant k + 1, whose measures are its tensors.
 */
export const parts: CriterionParts = {
  oneRow: true,
  work: CUT_WORK.taylor,
  measureRows: async (model, rows, { steps }, { candidates, whole }, _scope, job) => {
    const { meanNll, tensors, fileBytes } = await measure(model, rows, steps, candidates, job);
    return [
      ...(whole ? filledFrom(0, ONE_ROW, [{ nll: [meanNll] }]) : []),
      ...numbersIn(candidates).flatMap((k, i) => filledFrom(k + 1, ONE_ROW, [scoresByName(tensors[i])])),
      ...filledFrom(candidates.from + 1, ONE_ROW, [{ [FILE_BYTES]: [fileBytes] }]),
    ];
  },
  result: (table, { steps, rows, length }) => {
    const tensors = steps.map(({ block }, k) => tensorsOf(table, k + 1, block));
    const measured = { meanNll: table.column('nll', 0)[0], tensors, fileBytes: mostFileBytes(table, steps.length) };
    return criterionResult(steps, measured, rows * (length - 1));
  },
};

const ONE_ROW: Range = { from: 0, to: 1 };

/** Bytes of a part's temporary file, at the first step of the part. Its name is that of no tensor. */
const FILE_BYTES = 'temporary bytes';

const scoresByName = (tensors: readonly TensorScore[]): Record<string, number[]> =>
  Object.fromEntries(tensors.map(({ name, score }) => [name, [score]]));

const tensorsOf = (table: Table, variant: number, block: number): TensorScore[] =>
  table
    .measuresOf(variant)
    .filter((name) => name !== FILE_BYTES)
    .map((name) => ({ block, name, score: table.column(name, variant)[0] }));

/** The largest temporary file is that of the part that goes back to the first block: it has all that one process has. */
function mostFileBytes(table: Table, steps: number): number {
  const known = Array.from({ length: steps }, (_, k) => k + 1).filter((variant) => table.has(FILE_BYTES, variant));
  return Math.max(0, ...known.map((variant) => table.column(FILE_BYTES, variant)[0]));
}
