/**
 * When a crashed sidecar is started again: a little later each time, and not for ever. A program that crashes over and
 * over is not mended by starting it once more.
 */

/** Crashes within the window after which nobody restarts any more but the user. */
const MOST = 4;
const WINDOW_MS = 3 * 60_000;
/** Before the first restart; doubled for each further one. */
const FIRST_DELAY_MS = 500;

export type Verdict = { readonly restartInMs: number } | 'give up';

export class RestartPolicy {
  private crashes: number[] = [];

  /** @param now milliseconds */
  constructor(private readonly now: () => number) {}

  /** A crash was seen: what to do about it. Four restarts within three minutes are tried, not a fifth. */
  crashed(): Verdict {
    const at = this.now();
    this.crashes = this.crashes.filter((crash) => at - crash < WINDOW_MS);
    this.crashes.push(at);
    if (this.crashes.length > MOST) return 'give up';
    return { restartInMs: FIRST_DELAY_MS * 2 ** (this.crashes.length - 1) };
  }

  /** The user restarts it: what was counts no more. */
  forget(): void {
    this.crashes = [];
  }
}
