/** Memory that full-parameter training needs, so that a run that does not fit is refused at the start. */
import { memoryFor } from '../../memory';
import type { Architecture, LayerShape } from '../../checkpoint/architecture';
import { layerSizes } from '../../checkpoint/kinds/parts';
import { elements, layerParameters, parametersOf, parametersOfLayer } from '../../checkpoint/parameters';
import { outerWeights } from '../../checkpoint/weight-names';
import { UserError } from '../../errors';
import { option } from '../../option-token';
import { logitsBytes } from '../../model/head-tokens';
import { TOKENS_PER_RUN } from '../amounts';

/** Copies of each parameter in float32: value, two moments and gradient. */
const COPIES = 4;
/** Attention scores, their softmax, and the gradients of both. */
const ATTENTION_COPIES = 4;
/** Where scores are capped, their tanh and its derivative too. */
const CAPPED_COPIES = 2;
/** Arrays as large as the logits that the head's loss and its gradient need at once. */
const LOGIT_COPIES = 4;

/** The settings that the memory depends on. */
export interface FullTraining {
  /** A copy of the best parameters is kept: when something is held out. */
  readonly keepsBest: boolean;
  /** Tokens of the longest row. */
  readonly longest: number;
  /** The trained blocks; undefined when every weight is trained. */
  readonly trained?: readonly number[];
}

/** Number of trained parameters. */
function trainedParameters(architecture: Architecture, trained: FullTraining['trained']): number {
  if (trained === undefined) return parametersOf(architecture);
  return trained.reduce((sum, block) => sum + parametersOfLayer(architecture, block), 0);
}

/** Minimum number of bytes, when everything that can be recomputed is recomputed. */
export function fullTrainingBytes(architecture: Architecture, { keepsBest, longest, trained }: FullTraining): number {
  const { layers, hidden, style } = architecture;
  const largest = (of: (layer: LayerShape) => number): number => Math.max(...layers.map(of));
  const copies = COPIES + (keepsBest ? 1 : 0);
  const head = elements(outerWeights(architecture).head.shape);
  // The largest block's gradients and the head's (twice) on their way to the sums.
  const passing = Math.max(...layerParameters(architecture)) + (trained ? 0 : 2 * head);
  // The residual stream before every block, and the intermediate values of one block.
  const tokens = Math.max(TOKENS_PER_RUN.full, longest);
  const states = tokens * ((layers.length + 4) * hidden + 8 * largest((layer) => layerSizes(layer).ffn));
  const scores = ATTENTION_COPIES + (style.scoreCap === null ? 0 : CAPPED_COPIES);
  const attention = scores * largest((layer) => layerSizes(layer).heads) * tokens * longest;
  const logits = LOGIT_COPIES * logitsBytes(architecture, !trained);
  return 4 * (copies * trainedParameters(architecture, trained) + passing + states + attention) + logits;
}

/** @throws UserError when the training needs more than `budget` bytes (the free memory when undefined) */
export function requireFullMemory(
  architecture: Architecture,
  training: FullTraining,
  budget = memoryFor('fullTraining'),
): void {
  const bytes = fullTrainingBytes(architecture, training);
  if (bytes <= budget) return;
  throw new UserError(
    'Cannot train every weight of this model here',
    `it needs ${bytes} bytes (values, gradients and two moments of ${trainedParameters(architecture, training.trained)} parameters, ` +
      `rows of ${training.longest} tokens), ` +
      `and ${Math.floor(budget)} are available`,
    `Train an adapter (leave ${option('full')} out) or fewer blocks (${option('where', 'cuts')}), lower ${option('retrain.length')}, ` +
      `or raise ${option('memory')} if the machine has more.`,
  );
}
