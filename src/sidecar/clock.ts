/** Time, as what waits sees it; tests have one of their own. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** @returns what cancels it */
  later(ms: number, body: () => void): () => void;
}

/** The real one. It keeps no process alive. */
export const realClock: Clock = {
  now: () => performance.now(),
  later: (ms, body) => {
    const timer = setTimeout(body, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
