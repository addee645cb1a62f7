/**
 * Steps that would start other programs. A recipe may be someone else's, so only the person who runs it says that they may
 * start, and where they may come from.
 */
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { Programs } from './plan';
import type { Json, RecipeStep } from './recipe';
import { referencesIn } from './references';

const SWITCH = 'consumers';

/** Whether a step asks for other programs. What a reference gives is not known before. */
export const wantsPrograms = ({ job, options }: Pick<RecipeStep, 'job' | 'options'>): boolean => {
  const known: AnyJob = JOBS[job];
  const value = Object.hasOwn(options, SWITCH) ? options[SWITCH] : undefined;
  return SWITCH in known.options && (value === true || referencesIn(value).length > 0);
};

/** The step without that wish. */
export const withoutPrograms = (step: RecipeStep): RecipeStep => ({
  ...step,
  options: Object.fromEntries(Object.entries(step.options).filter(([name]) => name !== SWITCH)),
});

/** The options that say where the programs of a step may come from. */
export const placeOfPrograms = (
  options: Readonly<Record<string, Json>>,
  { from }: Programs = {},
): Record<string, Json> => (options[SWITCH] === true && from !== undefined ? { consumersFrom: from } : {});
