/**
 * Decides when to restart a crashed sidecar: later each time, and only a few times, since restarting does not fix a
 * program that keeps crashing.
 */

/** After this many crashes within the window only the user restarts it. */
const MAX_CRASHES = 4;
const WINDOW_MS = 3 * 60_000;
/** Delay before the first restart, doubled for each further one. */
const FIRST_DELAY_MS = 500;

export type RestartDelay = { readonly restartInMs: number } | 'give up';

export class RestartPolicy {
  private crashes: number[] = [];

  /** @param now milliseconds */
  constructor(private readonly now: () => number) {}

  /** Decides after a crash. Restarts four times within three minutes, not a fifth time. */
  crashed(): RestartDelay {
    const at = this.now();
    this.crashes = this.crashes.filter((crash) => at - crash < WINDOW_MS);
    this.crashes.push(at);
    if (this.crashes.length > MAX_CRASHES) return 'give up';
    return { restartInMs: FIRST_DELAY_MS * 2 ** (this.crashes.length - 1) };
  }

  /** The user restarts it: earlier crashes no longer count. */
  forget(): void {
    this.crashes = [];
  }
}
