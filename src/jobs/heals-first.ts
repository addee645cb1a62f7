/** Whether a retraining heals first. Pure. */
import type { JsonObject } from '../format/json';

/** Values of the option "heal" of a retraining in place of a file. */
export const HEAL_FIRST = 'first';
export const NO_HEALING = 'none';

/** Whether a retraining heals before it trains: where that is asked for, and where a plan is trained and nothing is said. */
export const healsFirst = (options: JsonObject): boolean => options.heal === HEAL_FIRST || healsUnasked(options);

/** Whether it heals because a plan is trained and nothing else is said. */
export function healsUnasked({ heal, remove, init, initAdapter }: JsonObject): boolean {
  const isPlan = remove !== undefined && !(Array.isArray(remove) && (remove.length === 0 || remove.some(isModule)));
  // Random weights take the place of healed ones, and an adapter goes on from the weights that it was trained on.
  return heal === undefined && isPlan && init === undefined && initAdapter === undefined;
}

/** The file of healed weights that is named, if one is. */
export const healedFile = (heal: string | undefined): string | undefined =>
  heal === HEAL_FIRST || heal === NO_HEALING ? undefined : heal;

/** Only whole blocks can be left out of what is trained. */
const isModule = (part: unknown): boolean => typeof part === 'string' && part.includes('.');
