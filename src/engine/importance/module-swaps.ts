/**
 * Sets of attention and FFN modules, for the search over sets. A set is what it leaves of the model. A mutation puts some
 * of its parts back, modules or whole blocks, and fills what they saved with others in a random order, until no more part
 * fits: so sets differ in their number of parts, and save about the same. Pure.
 */
import { partsBetween, removedJson, removedParts, type Step, stepsOf, type View, viewWithout } from '../model/view';
import type { Random } from '../random';
import { type Sets, swapsOf } from './evolution';
import type { Saves } from './module-costs';
import { fits, isBlock, openParts, partOf } from './open-parts';

export interface ModuleSpace {
  /** What parts are removed from. */
  readonly whole: View;
  /** Blocks whose parts may be removed; all when undefined. */
  readonly candidates?: readonly number[];
  /** What a part saves, above 0; what a set saves at most, and at least. */
  readonly saves: Saves;
  readonly size: number;
  readonly least: number;
}

/** What a set saves. @param left what it leaves of `whole` */
export const savedBy = (whole: View, left: View, saves: Saves): number =>
  goneParts(whole, left)
    .filter((step) => !isBlock(step))
    .reduce((sum, step) => sum + saves(step), 0);

/** Modules, and blocks of which both modules are gone. */
function goneParts(whole: View, left: View): Step[] {
  const gone = {
    attention: whole.attention.map((had, block) => had && !left.attention[block]),
    ffn: whole.ffn.map((had, block) => had && !left.ffn[block]),
  };
  return [...stepsOf(gone, true), ...stepsOf(gone).filter(isBlock)];
}

export function moduleSets({ whole, candidates, saves, size, least }: ModuleSpace): Sets<View> {
  return {
    keyOf: (left) => removedJson(partsBetween(whole, left)).join(),
    mutate: (parent, random) => {
      const left = filled(putBack(parent, whole, random), random);
      return fits(least, savedBy(whole, left, saves), size) ? left : undefined;
    },
  };

  function filled(start: View, random: Random): View {
    let [left, room] = [start, size - savedBy(whole, start, saves)];
    for (const step of random.shuffle(openParts(start, candidates))) {
      const isThere = (!step.attention || left.attention[step.block]) && (!step.ffn || left.ffn[step.block]);
      if (!isThere || !fits(saves(step), room, size)) continue;
      const next = viewWithout(left.attention.length, [...removedParts(left), partOf(step)]);
      if (stepsOf(next).length === 0) continue;
      [left, room] = [next, room - saves(step)];
    }
    return left;
  }
}

/** The model with some of the removed parts again. */
function putBack(left: View, whole: View, random: Random): View {
  const back = random.shuffle(goneParts(whole, left)).slice(0, swapsOf(random));
  const has = (block: number, half: 'attention' | 'ffn'): boolean =>
    left[half][block] || back.some((step) => step.block === block && step[half]);
  return {
    attention: left.attention.map((_, block) => has(block, 'attention')),
    ffn: left.ffn.map((_, block) => has(block, 'ffn')),
  };
}
