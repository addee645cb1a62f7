/**
 * Estimates how long scoring, evaluation and healing will take: floating-point operations, from the architecture and
 * the rows alone, divided by the measured speed of this machine. Pure: it loads nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { keptBlocks } from '../checkpoint/block-list';
import { layerSizes } from '../checkpoint/kinds/parts';
import { elements, layerParameters } from '../checkpoint/parameters';
import { blockWeights, type Weight } from '../checkpoint/weight-names';
import { fittingWork, measuringWork, solvingWork } from '../heal/cost';
import type { HealMethod } from '../heal/methods';
import { headWork } from '../model/cost';
import type { Scope } from './cost';
import { type Criterion, criterionInfo, criterionWork, CRITERION_LIST } from './criteria';
import type { CriterionInfo } from './criterion';

/** Rows of tokens. */
export interface RowShape {
  readonly rows: number;
  /** Tokens per row. */
  readonly length: number;
}

/** Work with its own measured speed: a criterion, the perplexity of a text, healing, training, or a text that the model writes. */
export type EstimatedWork = Criterion | 'evaluate' | 'heal' | 'train' | 'write';

/**
 * Speed with gradients relative to plain products. Two fifths of a training step are spent between the products
 * (README, "Measured": 69 %).
 */
export const GRADIENT_SPEED = 0.69;

/**
 * The same of healing, which adds up products in float64, and of a text that a model writes, a token of sixteen texts at
 * a time. Both for SmolLM2-135M-Instruct on two cores, beside a perplexity sweep.
 */
export const HEALING_SPEED = 0.65;
const WRITING_SPEED = 0.14;

/** Operations of one application of a mean block to a row: a product and a sum count as two. */
export function rowBlockFlops(architecture: Architecture, length: number): number {
  const { layers } = architecture;
  return layers.reduce((sum, _, layer) => sum + layerFlops(architecture, layer, length), 0) / layers.length;
}

/** Operations of one application of block `layer` to a row. */
function layerFlops(architecture: Architecture, layer: number, length: number): number {
  const { heads, headDim } = layerSizes(architecture.layers[layer]);
  const { ffn } = architecture.layers[layer];
  // A token has some of the experts only.
  const share = ffn.kind === 'experts' ? ffn.chosen / ffn.count : 1;
  const weights = Object.entries(blockWeights(architecture, layer)) as [string, Weight][];
  const matrices = weights.filter(([, { shape }]) => shape.length === 2);
  const products = matrices.reduce(
    (sum, [name, { shape }]) => sum + 2 * elements(shape) * length * (name.startsWith('experts.') ? share : 1),
    0,
  );
  // Every query with every key, and every weight with every value.
  const attention = 2 * (2 * length * length * heads * headDim);
  return products + attention;
}

/** Operations of scoring all blocks. A criterion that only reads weights reads each parameter of the blocks once. */
export function scoringFlops(
  architecture: Architecture,
  criterion: Criterion,
  { rows, length }: RowShape,
  scope: Scope = {},
): number {
  if (criterionInfo(criterion).effort === 'reading') {
    return 2 * layerParameters(architecture).reduce((sum, each) => sum + each, 0);
  }
  const mean = rowBlockFlops(architecture, length);
  const cost = (layer: number): number => layerFlops(architecture, layer, length) / mean;
  return rows * criterionWork(architecture, criterion, { ...scope, tokens: rows * length }, cost) * mean;
}

/** Operations of the perplexity of a text. @param removed blocks that are left out */
export function evaluationFlops(
  architecture: Architecture,
  { rows, length }: RowShape,
  removed: readonly number[] = [],
): number {
  const mean = rowBlockFlops(architecture, length);
  const kept = keptBlocks(architecture.layers.length, removed);
  const blocks = kept.reduce((sum, layer) => sum + layerFlops(architecture, layer, length) / mean, 0);
  return rows * (blocks + headWork(architecture)) * mean;
}

/** Operations of the logits of all tokens of the rows. */
export const headFlops = (architecture: Architecture, { rows, length }: RowShape): number =>
  rows * headWork(architecture) * rowBlockFlops(architecture, length);

/** Operations of passing rows through the blocks alone. @param removed blocks that are left out */
export function passFlops(architecture: Architecture, { rows, length }: RowShape, removed: readonly number[]): number {
  const kept = keptBlocks(architecture.layers.length, removed);
  return rows * kept.reduce((sum, layer) => sum + layerFlops(architecture, layer, length), 0);
}

/** How a model is healed, as far as it takes time. */
export interface HealingWork {
  readonly method: HealMethod;
  /** Share of the rows that is not fitted. */
  readonly heldOut: number;
}

/** Operations of healing the model without `removed`. As many fitted rows are measured as are held out. */
export function healingFlops(
  architecture: Architecture,
  removed: readonly number[],
  { rows, length }: RowShape,
  { method, heldOut }: HealingWork,
): number {
  const mean = rowBlockFlops(architecture, length);
  const cost = (layer: number): number => layerFlops(architecture, layer, length) / mean;
  const fitted = rows * (1 - heldOut) * fittingWork(architecture, removed, method, cost);
  const measured = 2 * rows * heldOut * measuringWork(architecture, removed, cost);
  return (fitted + measured + solvingWork(architecture, removed, method) / length) * mean;
}

/** Operations of a text that the whole model writes, token by token. */
export function writingFlops(architecture: Architecture, { rows, length }: RowShape): number {
  return evaluationFlops(architecture, { rows, length });
}

/** What takes the time of `work`. Of names that are in no list (an older record), products. */
export function effortOf(work: EstimatedWork): CriterionInfo['effort'] {
  return CRITERION_LIST.find(({ name }) => name === work)?.effort ?? 'products';
}

/** Speed of `work` where that of `seen` is known: both run the same products, gradients with others in between. */
export function speedLike(work: EstimatedWork, seen: EstimatedWork, speed: number): number {
  const share = (each: EstimatedWork): number => {
    if (each === 'heal') return HEALING_SPEED;
    if (each === 'write') return WRITING_SPEED;
    return each === 'train' || effortOf(each) === 'gradients' ? GRADIENT_SPEED : 1;
  };
  return (speed * share(work)) / share(seen);
}
