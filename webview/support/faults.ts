/** Reports uncaught exceptions of a page, for the log. */

/** The browser's notice that it reports the remaining size changes in the next frame. It is not a fault. */
const isNotice = (message: string): boolean => message.startsWith('ResizeObserver loop');

/** Passes every uncaught exception and unhandled rejection to `tell`, except the browser's notices. */
export function watchFaults(tell: (words: string) => void): void {
  window.addEventListener('error', (fault) => {
    // Some events carry no exception. Then the error is null, and only the message is known.
    if (!isNotice(fault.message)) tell(wordsOf(fault.error ?? fault.message));
  });
  window.addEventListener('unhandledrejection', ({ reason }) => tell(wordsOf(reason)));
}

const wordsOf = (reason: unknown): string =>
  reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
