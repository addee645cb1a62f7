/** What each of the computing commands measures of itself. */

/** More blocks than any model has: lists are read with it to check their form alone. */
export const ANY_BLOCKS = 1000;

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;
