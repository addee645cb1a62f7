/**
 * What scoring and evaluating a model will take, before it begins: its floating-point operations, from the architecture
 * and the rows alone, over the speed that this machine was seen to have. Pure: it loads nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { elements, parametersOf } from '../checkpoint/parameters';
import { blockWeights, type Weight } from '../checkpoint/weight-names';
import { headWork } from '../model/cost';
import { criterionWork, type Scope } from './cost';
import type { Criterion } from './criterion';

/** Rows of tokens. */
export interface RowShape {
  readonly rows: number;
  /** Tokens of each. */
  readonly length: number;
}

/** Work whose speed is measured by itself: a criterion, or the perplexity of a text. */
export type EstimatedWork = Criterion | 'evaluate';

/**
 * What gradients reach of the speed of plain products: two fifths of a training step lie between the products (README,
 * "Measured": 69 %).
 */
const GRADIENT_SPEED = 0.69;

/** Operations of one application of a block to a row: a product and a sum count as two. */
export function rowBlockFlops(architecture: Architecture, length: number): number {
  const { heads, headDim } = architecture;
  const matrices = (Object.values(blockWeights(architecture, 0)) as Weight[]).filter(({ shape }) => shape.length === 2);
  const products = matrices.reduce((sum, { shape }) => sum + 2 * elements(shape) * length, 0);
  // Every query with every key, and every weight with every value.
  const attention = 2 * (2 * length * length * heads * headDim);
  return products + attention;
}

/** Operations of scoring all blocks. Magnitude reads each parameter once; deepest does nothing. */
export function scoringFlops(
  architecture: Architecture,
  criterion: Criterion,
  { rows, length }: RowShape,
  scope: Scope = {},
): number {
  if (criterion === 'magnitude') return 2 * parametersOf(architecture);
  return rows * criterionWork(architecture, criterion, scope) * rowBlockFlops(architecture, length);
}

/** Operations of the perplexity of a text. @param blocks those that are left */
export function evaluationFlops(architecture: Architecture, { rows, length }: RowShape, blocks: number): number {
  return rows * (blocks + headWork(architecture)) * rowBlockFlops(architecture, length);
}

/** Speed of `work` where that of `seen` is known: both run the same products, Taylor with others in between. */
export function speedLike(work: EstimatedWork, seen: EstimatedWork, speed: number): number {
  const share = (each: EstimatedWork): number => (each === 'taylor' ? GRADIENT_SPEED : 1);
  return (speed * share(work)) / share(seen);
}
