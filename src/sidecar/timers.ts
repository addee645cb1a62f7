/** Calls that wait: for a pause, or for the time of the next one. */

/** Limits the rate of calls. The last call always happens. */
export class Throttle {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly everyMs: number,
    private readonly act: () => void,
  ) {}

  ask(): void {
    this.timer ??= setTimeout(() => this.now(), this.everyMs);
  }

  /** Makes a pending call at once. */
  now(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.act();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

/** Makes a call once nothing has asked for it for a while. */
export class Debounce {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly settleMs: number,
    private readonly act: () => void,
  ) {}

  /** Starts the wait again. */
  ask(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.act, this.settleMs);
  }

  /** Drops a pending call. */
  dispose(): void {
    clearTimeout(this.timer);
  }
}
