/** The parts of a model that may go where attention and FFN are chosen apart: modules, and whole blocks among them. Pure. */
import {
  type RemovedPart,
  removedFrom,
  removedJson,
  removedParts,
  type Step,
  stepsOf,
  type View,
  viewWithout,
} from '../model/view';
import { openSteps } from './in-turn';
import type { CriterionResult } from './result';

/**
 * Modules, then whole blocks, that may go. All of the model at once is not among them.
 * @param candidates blocks whose parts may be removed; all when undefined
 */
export function openParts(view: View, candidates: readonly number[] | undefined): Step[] {
  const [modules, steps] = [stepsOf(view, true), stepsOf(view)];
  const may = (all: readonly Step[]): Step[] => openSteps(all, candidates).map((k) => all[k]);
  return [...may(modules), ...(modules.length > 2 ? may(steps).filter(isBlock) : [])];
}

/** Sums of what is saved are rounded: this share of the size is nothing. */
export const SLACK = 1e-9;

/** Whether what saves so much may still go. @param left of the size */
export const fits = (saved: number, left: number, size: number): boolean => saved <= left + SLACK * size;

export const isBlock = ({ attention, ffn }: Step): boolean => attention && ffn;

export const partOf = (step: Step): RemovedPart =>
  isBlock(step) ? { block: step.block } : { block: step.block, part: step.attention ? 'attention' : 'ffn' };

/** "12", "12.ffn". */
export const nameOf = (step: Step): string => String(removedJson([partOf(step)])[0]);

/** All that a choice among modules leaves out in the end, with what the model lacked before; nothing for other results. */
export function leftOutBy(
  view: View,
  { removals, moduleSearch, cost }: CriterionResult,
): Pick<CriterionResult, 'leftOut'> {
  if (cost === undefined) return {};
  const blocks = view.attention.length;
  const chosen = removals ?? removedFrom(moduleSearch?.removed ?? [], blocks);
  return { leftOut: removedJson(removedParts(viewWithout(blocks, [...removedParts(view), ...chosen]))) };
}
