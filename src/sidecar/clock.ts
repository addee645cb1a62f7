/** A clock for code that waits. Tests use their own. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** @returns a function that cancels it */
  later(ms: number, body: () => void): () => void;
}

/** The system clock. Its timers do not keep a process alive. */
export const realClock: Clock = {
  now: () => performance.now(),
  later: (ms, body) => {
    const timer = setTimeout(body, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
