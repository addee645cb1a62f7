/** Whether a user has to be told that a job has ended. Knows nothing of VS Code, so that plain Node can test it. */

export interface AttentionSource {
  /** Milliseconds. */
  readonly now: () => number;
  /** Whether the window has the focus. */
  readonly focused: () => boolean;
}

/** After so long the user looks elsewhere. */
export const LONG_MS = 30_000;

/** Begins with the job. @returns what says, at its end, whether the user may have missed it */
export function watchForEnd({ now, focused }: AttentionSource): () => boolean {
  const start = now();
  return () => !focused() || now() - start > LONG_MS;
}
