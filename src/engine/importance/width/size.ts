/** The ratio whose model is nearest to a size in parameters. */
import type { Architecture } from '../../checkpoint/architecture';
import { plainShape } from '../../checkpoint/kinds/plain';
import { moduleParameters, parametersOf } from '../../checkpoint/parameters';
import { groupsOf, type UnitCounts, withCounts } from '../../checkpoint/width';
import { formatCount } from '../../../format/numbers';
import { OptionError } from '../../errors';
import { removedFrom, viewWithout } from '../../model/view';
import type { Measured } from './measured';

/** Ratios are told apart down to this difference. */
const STEP = 1e-9;
const DIGITS = 9;

/** Parameters of the model at a ratio. */
export const parametersAt =
  (architecture: Architecture, { counts, biases }: Pick<Measured, 'counts' | 'biases'>) =>
  (ratio: number): number =>
    parametersOf(withCounts(architecture, counts(ratio), biases !== undefined));

/**
 * Parameters of the model without blocks and modules, [10, "12.ffn"].
 * @throws UserError for blocks that the model does not have
 */
export function parametersWithout(architecture: Architecture, removed: readonly (number | string)[]): number {
  const blocks = architecture.layers.length;
  const view = viewWithout(blocks, removedFrom(removed, blocks));
  const gone = architecture.layers.map((_, block) => {
    const { attention, ffn } = moduleParameters(architecture, block);
    return (view.ffn[block] ? 0 : ffn) + (view.attention[block] ? 0 : attention);
  });
  return parametersOf(architecture) - gone.reduce((sum, parameters) => sum + parameters, 0);
}

/**
 * The ratio whose model is nearest to `target` parameters, written with as few digits as give the same size.
 * @param size parameters at a ratio from 0 to below 1, which fall where the ratio rises
 * @param whole parameters of the whole model
 * @throws OptionError if every ratio gives a larger model, or the target is the whole model or larger
 */
export function ratioOfSize(target: number, size: (ratio: number) => number, whole: number): number {
  const [smallest, largest] = [size(1 - STEP), size(STEP)];
  if (target < smallest || target >= whole) throw outOfReach(target, smallest, largest);
  const [at, below] = bisect((ratio) => size(ratio) <= target);
  const nearest = Math.abs(size(at) - target) <= Math.abs(size(below) - target) ? at : below;
  return shortened(nearest, (ratio) => size(ratio) === size(nearest));
}

/** The lowest ratio at which `isReached` holds, in a few digits; undefined if there is none below 1. */
export function leastRatio(isReached: (ratio: number) => boolean): number | undefined {
  if (!isReached(1 - STEP)) return undefined;
  return Math.ceil(bisect(isReached)[0] * 1000) / 1000;
}

/** Neighbours: a ratio at which a condition holds that then holds for all higher ones, and one at which it does not. */
function bisect(holds: (ratio: number) => boolean): [at: number, below: number] {
  let [below, at] = [STEP, 1 - STEP];
  while (at - below > STEP) {
    const middle = (at + below) / 2;
    if (holds(middle)) at = middle;
    else below = middle;
  }
  return [at, below];
}

function shortened(ratio: number, isSame: (ratio: number) => boolean): number {
  for (let digits = 2; digits <= DIGITS; digits++) {
    const short = Number(ratio.toFixed(digits));
    if (short > 0 && short < 1 && isSame(short)) return short;
  }
  return ratio;
}

const outOfReach = (target: number, smallest: number, largest: number): OptionError =>
  new OptionError(
    `No model of ${formatCount(target)} parameters can be made`,
    `the method can leave ${formatCount(smallest)} to ${formatCount(largest)} with these settings`,
    'Give a size in this range.',
  );

/** Whether any block has fewer groups than in the whole model. */
export const losesGroups = ({ layers }: Architecture, counts: readonly UnitCounts[]): boolean =>
  counts.some(({ groups }, i) => groups < groupsOf(plainShape(layers[i])));
