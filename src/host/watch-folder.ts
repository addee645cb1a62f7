/** Tells that files of a folder have changed, so that windows of the same workspace follow each other. */
import { mkdirSync, watch } from 'node:fs';
import type { Subscription } from '../sidecar/emitter';
import { Debounce } from '../sidecar/timers';

/** A file is written and renamed: two changes or three. */
const SETTLE_MS = 50;

/**
 * Watches the folder, which is made if it is missing. Where it cannot be watched, nothing is told: callers look again
 * when the window gets the focus.
 */
export function watchFolder(folder: string, changed: () => void): Subscription {
  const settled = new Debounce(SETTLE_MS, changed);
  try {
    mkdirSync(folder, { recursive: true });
    const watcher = watch(folder, { persistent: false }, () => settled.ask());
    watcher.on('error', () => watcher.close());
    return {
      dispose: () => {
        watcher.close();
        settled.dispose();
      },
    };
  } catch {
    return settled;
  }
}
