/**
 * Gives short requests priority: the long job waits before its next run until they are done. A run takes less than a
 * second, so interactive requests wait no longer than that.
 */
export class Turns {
  private shorts = 0;
  private waiting: (() => void)[] = [];

  /** Runs a short request. The long job waits meanwhile. */
  async short<T>(body: () => Promise<T>): Promise<T> {
    this.shorts++;
    try {
      return await body();
    } finally {
      if (--this.shorts === 0) {
        for (const go of this.waiting.splice(0)) go();
      }
    }
  }

  /** Resolves when no short request runs, or the signal aborts. The long job awaits it before every run. */
  readonly wait = async (signal?: AbortSignal): Promise<void> => {
    while (this.shorts > 0 && !signal?.aborted) await this.pause(signal);
  };

  private async pause(signal: AbortSignal | undefined): Promise<void> {
    let stop: () => void = () => undefined;
    const over = new Promise<void>((go) => (stop = () => go()));
    this.waiting.push(stop);
    signal?.addEventListener('abort', stop, { once: true });
    await over;
    signal?.removeEventListener('abort', stop);
  }
}
