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
