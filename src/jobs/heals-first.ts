/** Whether a retraining heals first. Pure. */
import type { JsonObject } from '../format/json';

/** Value of the option "heal" of a retraining in place of a file. */
export const HEAL_FIRST = 'first';

export const healsFirst = ({ heal }: JsonObject): boolean => heal === HEAL_FIRST;
