/** Cuts a list of things with costs of their own into ranges for parts. Pure arithmetic, so that every process finds the same. */
import { counted } from '../../format/words';
import { UserError } from '../errors';
import type { Part } from './part';
import type { Range } from './split';

/**
 * The range of a part: neighbours, because they have a model in common. None is empty, and the most expensive one costs as
 * little as possible.
 * @param costs of each thing, in any unit
 * @param noun of a thing, for the message
 * @throws UserError when there are fewer things than parts
 */
export function rangeOf(costs: readonly number[], part: Part, noun: string): Range {
  if (part.of > costs.length) {
    throw new UserError(
      `The work cannot be cut into ${part.of} parts`,
      `it has ${counted(costs.length, noun)}, each of which is computed as a whole`,
      `Take at most ${counted(costs.length, 'part')}.`,
    );
  }
  return rangesOf(costs, part.of)[part.number - 1];
}

/** @param parts at most as many as there are costs */
export function rangesOf(costs: readonly number[], parts: number): Range[] {
  let [low, high] = [Math.max(...costs), costs.reduce((sum, cost) => sum + cost, 0)];
  // The least cost of a part with which they suffice; halving a number more often changes nothing.
  for (let i = 0; i < 60 && low < high; i++) {
    const middle = (low + high) / 2;
    if (filled(costs, parts, middle) === undefined) low = middle;
    else high = middle;
  }
  return filled(costs, parts, high)!;
}

/** Ranges that cost at most `most`, each as long as it can be; undefined if more than `parts` would be needed. */
function filled(costs: readonly number[], parts: number, most: number): Range[] | undefined {
  const ranges: Range[] = [];
  let [from, sum] = [0, 0];
  for (const [i, cost] of costs.entries()) {
    // The parts that follow need one thing each.
    const isNeeded = costs.length - i === parts - ranges.length - 1;
    if (i > from && (sum + cost > most || isNeeded)) {
      ranges.push({ from, to: i });
      [from, sum] = [i, 0];
    }
    sum += cost;
  }
  ranges.push({ from, to: costs.length });
  return ranges.length === parts ? ranges : undefined;
}
