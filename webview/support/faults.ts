/** What goes wrong in a page and is caught nowhere, in words for the log. */

/**
 * The browser's own notice that a size changed while it told of sizes: it tells of the rest in the next frame, and
 * nothing is lost.
 */
const NOTICE = 'ResizeObserver loop';

/** Tells of every exception and rejected promise that nothing catches, except the browser's notices. */
export function watchFaults(tell: (words: string) => void): void {
  window.addEventListener('error', (fault) => {
    // Not every event carries what was thrown: the error is null then, and the message says it all.
    if (!fault.message.startsWith(NOTICE)) tell(wordsOf(fault.error ?? fault.message));
  });
  window.addEventListener('unhandledrejection', ({ reason }) => tell(wordsOf(reason)));
}

const wordsOf = (reason: unknown): string =>
  reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
