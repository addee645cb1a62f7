/** Waiting for something that becomes true: a condition with a deadline, never a fixed time. */
import { setTimeout as pause } from 'node:timers/promises';

/** Long enough for a busy machine. A condition that holds ends the wait at once. */
export const PATIENCE_MS = 15_000;
/** How long to pause between two looks: a tenth of the wait so far, for each look at a window keeps it from its work. */
const pauseAfter = (waited: number): number => Math.min(Math.max(waited / 10, 10), 50);

/** Whether `holds` becomes true within `patience` milliseconds. */
export async function eventually(holds: () => boolean | Promise<boolean>, patience = PATIENCE_MS): Promise<boolean> {
  const start = performance.now();
  while (!(await holds())) {
    const waited = performance.now() - start;
    if (waited > patience) return false;
    await pause(pauseAfter(waited));
  }
  return true;
}

/** Waits until `holds` is true. @throws Error with `what`, as it is then, when it does not become true in time */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  patience = PATIENCE_MS,
): Promise<void> {
  if (!(await eventually(holds, patience))) {
    throw new Error(`not within ${patience} ms: ${typeof what === 'string' ? what : what()}`);
  }
}
