/** Removal in turn with a race, in one precision: a round measures on all rows only what can be the best of it. */
import type { Step } from '../model/view';
import type { Sweep } from './in-turn';
import type { ModelLoss } from './losses';
import type { Racer } from './raced-sweep';
import type { Swept } from './screened-sweep';
import { estimatedModel, sweptModel, type SweepMeasure } from './sweep-measure';

/** @param perRow positions of a row */
export function racedRounds<V extends object>(racer: Racer<V>, measure: SweepMeasure<V>, perRow: number): Sweep {
  let last:
    { readonly steps: readonly Step[]; readonly found: Swept<V> & { readonly open: readonly number[] } } | undefined;
  /** The model of this round is what the round before had without the part that went. */
  const known = (steps: readonly Step[]): V | undefined => {
    if (!last) return undefined;
    const gone = last.steps.findIndex((step, k) => step !== steps[k]);
    const left = last.steps.filter((_, k) => k !== gone);
    if (left.length !== steps.length || left.some((step, k) => step !== steps[k])) return undefined;
    const at = last.found.open.indexOf(gone);
    return at < 0 || last.found.out?.has(gone) ? undefined : last.found.without[at];
  };
  return async (steps, open, job, saves) => {
    const scope = { wanted: 1, isLater: last !== undefined, ...(saves && { saves }) };
    const found = await racer.sweep(steps, open, scope, job, known(steps));
    last = { steps, found: { ...found, open } };
    const whole = sweptModel(measure.meansOf(found.full, perRow), perRow);
    const without = found.without.map((value, i): ModelLoss => {
      const means = measure.meansOf(value, perRow);
      const dropped = found.out?.get(open[i]);
      return (dropped ? estimatedModel(measure, means, dropped.mean, whole) : sweptModel(means, perRow)).loss;
    });
    return { full: whole.loss, without, out: new Set(found.out?.keys()) };
  };
}
