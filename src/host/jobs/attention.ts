/** Decides whether to notify the user of the end of a job. Does not use VS Code, so that plain Node can test it. */

export interface AttentionSource {
  /** Milliseconds. */
  readonly now: () => number;
  /** Whether the window has the focus. */
  readonly focused: () => boolean;
}

/** After this time the user is assumed to look elsewhere. */
export const LONG_MS = 30_000;

/** Call it at the start of a job. @returns a function that tells at the end whether the user may have missed it */
export function watchForEnd({ now, focused }: AttentionSource): () => boolean {
  const start = now();
  return () => !focused() || now() - start > LONG_MS;
}
