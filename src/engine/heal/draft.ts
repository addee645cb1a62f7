/** The steps of a healing before the errors of all rows are known: those of the runs of a process, and what follows from sums. */
import type { HealStep } from './result';

/** What the sums of a site say of its correction. */
export type SiteFacts = Omit<HealStep, 'block' | 'tensor' | 'removed' | 'errorBefore' | 'errorAfter'> & {
  /** ⟨D, XᵀR⟩ and ⟨D, XᵀX D⟩, where the error follows from them. */
  readonly linear?: number;
  readonly quadratic?: number;
};

/** Errors of runs; of one of the two, the other follows by linear and quadratic. */
export interface RunErrors {
  readonly before?: readonly number[];
  readonly after?: readonly number[];
}

export interface DraftStep {
  readonly place: Pick<HealStep, 'block' | 'tensor' | 'removed'>;
  readonly facts: SiteFacts;
  /** Share of D that is taken; 0 where no error is told. */
  readonly share: number;
}

/** The step, with the errors of all runs in their order. */
export function finished({ place, facts, share }: DraftStep, { before, after }: RunErrors): HealStep {
  const { linear = 0, quadratic = 0, weight, besideWeight, normWeight, ...rest } = facts;
  const described = {
    ...(weight && { weight }),
    ...(besideWeight && { besideWeight }),
    ...(normWeight && { normWeight }),
  };
  if (!before && !after) return { ...place, ...rest, ...described };
  // |R − share · X D|² = |R|² − 2 share ⟨D, XᵀR⟩ + share² ⟨D, XᵀX D⟩
  const gain = 2 * share * linear - share ** 2 * quadratic;
  const errorBefore = before ? total(before) : total(after!) + gain;
  const errorAfter = after ? total(after) : errorBefore - gain;
  return { ...place, ...rest, errorBefore, errorAfter, ...described };
}

const total = (errors: readonly number[]): number => errors.reduce((sum, error) => sum + error, 0);

/** Errors of the runs of all processes. */
export function joined(all: readonly RunErrors[]): RunErrors {
  const of = (name: keyof RunErrors): readonly number[] | undefined =>
    all[0][name] && all.flatMap((errors) => errors[name] ?? []);
  const [before, after] = [of('before'), of('after')];
  return { ...(before && { before }), ...(after && { after }) };
}
