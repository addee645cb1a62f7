/** How long a recipe's steps are expected to take, in words: terminal, agents and editor say the same. */
import { summedTime } from '../estimates/words';
import type { Expected, RecipePlan } from './types';

/** "about 1:20", or "roughly 2 to 9 min" where this machine has not done such work yet. */
export const expectedWords = (expected: Expected): string => summedTime([timeOf(expected)]);

/** The same of all steps that run and whose time is known; undefined where there is none. */
export function expectedSum({ steps }: Pick<RecipePlan, 'steps'>): string | undefined {
  const known = steps.flatMap(({ state, expected }) => (state === 'run' && expected ? [timeOf(expected)] : []));
  return known.length === 0 ? undefined : summedTime(known);
}

const timeOf = ({ seconds, from }: Expected) => ({ seconds, measured: from !== 'guess' });
