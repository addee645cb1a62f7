/**
 * The Taylor criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_taylor.py`): Σ |w ∂L/∂w| over a block's
 * weights, the first-order estimate of the loss change if each weight were zeroed. L is the mean token loss over the
 * whole calibration set as one batch, so the absolute value is taken after the sum over samples. Norms count, biases do
 * not.
 *
 * Memory is that of one block, for any number of samples (block-gradients.ts).
 */
import { foldGradients } from '../block-gradients';
import type { ScoreRows } from '../criterion';
import { blockOfTensor } from '../../checkpoint/weight-names';
import { weightOf } from '../../checkpoint/weight-key';
import type { Graph, Value } from '../../onnx/graph';
import { abs, mul } from '../../onnx/ops/elementwise';
import { reduceSum } from '../../onnx/ops/reduce';
import type { JobOptions } from '../../progress';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { requireNoAdapter } from '../../model/no-adapter';
import { fullView, stepsOf, type View } from '../../model/view';
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
  requireNoAdapter(model, 'score by Taylor');
  const { architecture } = model;
  const fold = {
    wants: (name: string) => !name.endsWith('Bias'),
    fold: (g: Graph, _name: string, weight: Value, gradient: Value) => taylorScore(g, weight, gradient),
  };
  const { meanNll, steps, fileBytes } = await foldGradients(model, rows, stepsOf(view), fold, job);
  const tensors = steps.flatMap(({ step: { block }, weights }) =>
    [...weights].map(([name, [score]]) => {
      return { block, name: weightOf(architecture, { layer: block, name })!.name, score };
    }),
  );
  const blocks = steps.map(({ step: { block } }) => {
    const own = tensors.filter((t) => t.block === block);
    return { index: block, score: own.reduce((sum, t) => sum + t.score, 0) };
  });
  const order = rankBlocks(blocks.map((b) => b.score)).map((i) => blocks[i].index);
  return { meanNll, blocks, order, tensors, fileBytes };
}

/** Σ |w ⊙ ∂L/∂w|, a scalar. */
function taylorScore(g: Graph, weight: Value, gradient: Value): Value {
  return reduceSum(g, abs(g, mul(g, weight, gradient)), [...weight.shape.keys()]);
}

export const scoreRows: ScoreRows = async (model, rows, { view }, job) => {
  const { meanNll, blocks, order, tensors, fileBytes } = await scoreTaylor(model, rows, { view }, job);
  const tokens = rows.reduce((sum, row) => sum + row.length - 1, 0);
  return {
    full: { ppl: Math.exp(meanNll), meanNll, tokens },
    blocks,
    order,
    tensors: tensors.map(({ block, name, score }) => ({ block, name: blockOfTensor(name)!.rest, score })),
    ...(fileBytes > 0 && { temporaryBytes: fileBytes }),
  };
};
