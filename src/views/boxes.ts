/** What ticking and unticking does to plans, by mouse and by keyboard. Knows nothing of VS Code. */
import type { Plans, PlanSubject } from './plan';

/** Ticked blocks stay; a block that the settings lock stays as well. */
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

/** Removes the blocks if one of them stays as yet; else keeps them all. @returns those that are locked, and stay */
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
