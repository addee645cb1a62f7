/** The results panels that are open, and what notes for them what happens before they are. */
import type { OpenPanel } from './panel';
import type { PlanHistories } from './plan-history';
import type { Trainings } from './trainings';

export const PANEL = 'coppice.results';

/** By the path of the checkpoint. */
export const open = new Map<string, OpenPanel>();

interface Followed {
  readonly trainings: Trainings;
  readonly histories: PlanHistories;
}

let followed: Followed | undefined;

/** Called on activation. */
export function follow(parts: Followed): void {
  followed = parts;
}

export const followedParts = (): Followed => followed!;
