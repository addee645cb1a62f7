/**
 * Books as plain text often break their lines at a fixed width. A model has rarely seen such breaks, and predicts them
 * badly: text that a model is fitted on should not have them.
 */

/** Lengths of the lines of a text that is broken at a fixed width, without the last line of each paragraph. */
const WRAPPED = { quarter: 45, most: 100 };
/** Fewer lines tell nothing. */
const ENOUGH_LINES = 20;

/** The text with the lines of each paragraph joined, if its lines are broken at a fixed width; otherwise as it is. */
export function unwrapLines(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  if (!isWrapped(lines)) return text;
  const pieces: string[] = [];
  for (const [i, line] of lines.entries()) {
    pieces.push(line, isContinued(lines, i) ? ' ' : '\n');
  }
  return pieces.join('');
}

/** Whether the paragraph goes on in the next line. */
const isContinued = (lines: readonly string[], i: number): boolean => lines[i] !== '' && (lines[i + 1] ?? '') !== '';

/** Whether lines are broken at a fixed width. @param lines without blanks around them */
export function isWrapped(lines: readonly string[]): boolean {
  const lengths = lines
    .filter((_, i) => isContinued(lines, i))
    .map((line) => line.length)
    .sort((a, b) => a - b);
  if (lengths.length < ENOUGH_LINES) return false;
  const at = (share: number): number => lengths[Math.floor(share * (lengths.length - 1))];
  return at(0.25) >= WRAPPED.quarter && at(0.99) <= WRAPPED.most;
}
