/** Reports exceptions of a page that no code catches, for the log. */

/**
 * The browser's notice that a size changed while it reported sizes. It reports the rest in the next frame, so nothing
 * is lost.
 */
const NOTICE = 'ResizeObserver loop';

/** Passes every uncaught exception and unhandled rejection to `tell`, except the browser's notices. */
export function watchFaults(tell: (words: string) => void): void {
  window.addEventListener('error', (fault) => {
    // Not every event carries what was thrown: the error is null then, and the message says it all.
    if (!fault.message.startsWith(NOTICE)) tell(wordsOf(fault.error ?? fault.message));
  });
  window.addEventListener('unhandledrejection', ({ reason }) => tell(wordsOf(reason)));
}

const wordsOf = (reason: unknown): string =>
  reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
