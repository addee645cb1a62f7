/** How the writing of sample texts ended, in words. Pure. */
import type { LiveSamples } from '../../../src/protocol/panel';

/** The outcome: "2 texts are written, 1 failed". */
export function outcomeOf({ status, texts }: LiveSamples): string {
  const failed = texts.filter(({ stopped }) => stopped === 'failed').length;
  const written = texts.length - failed;
  const some = `${written} ${written === 1 ? 'text is' : 'texts are'} ${status === 'cancelled' ? 'stopped' : 'written'}`;
  if (failed === 0) return some;
  return written === 0 ? `Nothing is written: ${failed} failed` : `${some}, ${failed} failed`;
}
