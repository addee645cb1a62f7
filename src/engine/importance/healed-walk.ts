/**
 * The order of a healed sweep: which modules the stream passes, where a model is folded, and where a variant leaves the
 * model. Pure.
 *
 * Modules are counted as in healing: 2 · block is the attention, 2 · block + 1 the FFN. A module whose next kept one does
 * not follow it at once is folded: the stream after it should be the dense stream where the next kept module starts.
 */
import type { Step } from '../model/view';

/** A kept module, in the order of the stream. */
export interface Stage {
  /** Index of the step that it is part of. */
  readonly k: number;
  readonly module: Step;
  /** Where the next kept module starts, if something is left out before it: where the fold aims at. */
  readonly target: number | undefined;
  /** The variant that leaves out the next step, and where its fold aims at. */
  readonly branch: { readonly candidate: number; readonly target: number } | undefined;
}

/**
 * @param steps of the model
 * @param candidates indices of the steps that are left out, one per variant
 * @param blocks of the unpruned model
 */
export function stagesOf(steps: readonly Step[], candidates: readonly number[], blocks: number): Stage[] {
  const modules = steps.flatMap(({ block, attention, ffn }, k) => [
    ...(attention ? [{ k, at: 2 * block }] : []),
    ...(ffn ? [{ k, at: 2 * block + 1 }] : []),
  ]);
  const after = (i: number): number => modules[i]?.at ?? 2 * blocks;
  return modules.map(({ k, at }, i) => {
    const isLastOfStep = modules[i + 1]?.k !== k;
    const branches = isLastOfStep && candidates.includes(k + 1);
    const beyond = modules.findIndex((module) => module.k > k + 1);
    return {
      k,
      module: { block: at >> 1, attention: at % 2 === 0, ffn: at % 2 === 1 },
      target: after(i + 1) === at + 1 ? undefined : after(i + 1),
      branch: branches ? { candidate: k + 1, target: after(beyond < 0 ? modules.length : beyond) } : undefined,
    };
  });
}

/** Modules whose input is aimed at and is no block's input: the FFN of a block without attention. */
export const innerTargets = (steps: readonly Step[]): number[] =>
  steps.filter(({ attention }) => !attention).map(({ block }) => 2 * block + 1);

/** The variants that pass a stage: they have left the model before, and do not lack the stage's step. */
export const passing = ({ k }: Stage, variants: readonly number[]): number[] =>
  variants.filter((candidate) => candidate < k);

/** Modules that are passed and folds that are fitted by the model and these variants. */
export function countWalk(
  stages: readonly Stage[],
  variants: readonly number[],
): { readonly modules: number; readonly folds: number } {
  let modules = 0;
  let folds = 0;
  for (const stage of stages) {
    const lanes = 1 + passing(stage, variants).length;
    modules += lanes;
    folds += stage.target === undefined ? 0 : lanes;
    if (stage.branch && variants.includes(stage.branch.candidate)) folds++;
  }
  return { modules, folds };
}
