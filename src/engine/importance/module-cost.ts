/** What choosing among modules economizes on. Pure: it loads nothing. */

export const MODULE_COSTS = ['bytes', 'time'] as const;

/** Bytes of the files, or measured time. */
export type ModuleCost = (typeof MODULE_COSTS)[number];
