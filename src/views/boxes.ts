/** How checkboxes change plans, by mouse and keyboard. Does not use VS Code. */
import type { Plans, PlanSubject } from '../state/plan';

/** Keeps checked blocks, and blocks that the settings lock. */
export function tick(
  plans: Plans,
  subject: PlanSubject,
  boxes: readonly (readonly [block: number, kept: boolean])[],
  locked: ReadonlySet<number>,
): void {
  plans.change(
    subject,
    boxes.filter(([block, kept]) => kept || !locked.has(block)),
  );
}

/** Removes the blocks if any of them is kept; otherwise keeps all. @returns the locked blocks, which are kept */
export function toggle(
  plans: Plans,
  subject: PlanSubject,
  blocks: readonly number[],
  locked: ReadonlySet<number>,
): number[] {
  const free = blocks.filter((block) => !locked.has(block));
  const removed = new Set(plans.removed(subject));
  const kept = free.every((block) => removed.has(block));
  plans.change(
    subject,
    free.map((block) => [block, kept]),
  );
  return blocks.filter((block) => locked.has(block));
}
