/** Sets of blocks in a race: those that are certainly not among the nearest to the original are measured on the first rows only. */
import type { JobOptions } from '../progress';
import type { Step } from '../model/view';
import type { Fitness } from './evolution';
import { type Race, Racer } from './raced-sweep';
import type { RaceSummary } from './result';
import { comparedViews, fitnessOf, type SetSubject, viewLacking } from './set-divergence';
import { DIVERGENCES, type SweepMeasure } from './sweep-measure';
import type { Compared } from './sweep';

interface MeasuredSets {
  /** Of the view without any of the sets. */
  readonly full: Fitness;
  /** One fitness for each set; none for a set that dropped out. */
  readonly sets: readonly (readonly Fitness[])[];
  readonly race?: RaceSummary;
}

/**
 * @param sets blocks to remove from the view, each ascending
 * @param wanted how many of the nearest sets are wanted
 * @param race all are measured on all rows when undefined
 * @throws UserError when the teacher has another vocabulary; CancelledError
 */
export async function racedSets(
  subject: SetSubject,
  sets: readonly (readonly number[])[],
  wanted: number,
  race: Race | undefined,
  job: JobOptions,
): Promise<MeasuredSets> {
  const { model, view, rows, teacher } = subject;
  const perRow = rows[0].length - 1;
  const views = [view, ...sets.map((set) => viewLacking(view, set))];
  if (!race) {
    const [full, ...found] = await comparedViews(subject, views, undefined, job);
    return { full: fitnessOf(full, perRow), sets: found.map((each) => [fitnessOf(each, perRow)]) };
  }
  const measure: SweepMeasure<Compared> = {
    ...DIVERGENCES,
    sweep: async (_model, taught, some, _steps, candidates, now) => {
      const chosen = [views[0], ...candidates.map((set) => views[set + 1])];
      if (taught === 'full') throw new Error('sets are compared with the last states of a teacher');
      const [full, ...without] = await comparedViews({ model, rows: some, teacher: taught }, chosen, undefined, now);
      return { full, without };
    },
  };
  const racer = new Racer({ measure, model, teacher, rows, race });
  // A set stands where a sweep has a step: only its number is used.
  const places = sets.map((_, set): Step => ({ block: set, attention: true, ffn: true }));
  const { full, without, out } = await racer.sweep(places, [...sets.keys()], { wanted }, job);
  const summary = racer.summary(wanted);
  return {
    full: fitnessOf(full, perRow),
    sets: without.map((each, set) => (out?.has(set) ? [] : [fitnessOf(each, perRow)])),
    ...(summary && { race: summary }),
  };
}
