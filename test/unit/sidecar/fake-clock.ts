/** A clock that a test moves. */
import type { Clock } from '../../../src/sidecar/clock';

export class FakeClock implements Clock {
  private time = 0;
  private timers: { readonly at: number; readonly body: () => void }[] = [];

  now(): number {
    return this.time;
  }

  later(ms: number, body: () => void): () => void {
    const timer = { at: this.time + ms, body };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** When the next timer is due, in milliseconds from now; undefined when there is none. */
  get due(): number | undefined {
    return this.timers.length === 0 ? undefined : Math.min(...this.timers.map(({ at }) => at)) - this.time;
  }

  /** Lets time pass, and everything happen that follows. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.time = next.at;
      this.timers = this.timers.filter((timer) => timer !== next);
      next.body();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

/** Everything that needs no time has happened. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
}
