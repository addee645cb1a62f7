/** Models with different vocabularies: what of their numbers compares. */

/** English, for reports and the terminal. */
export const OTHER_VOCABULARIES =
  'Their vocabularies differ, so perplexities of a token do not compare: bits per byte of the same text do.';

/** Whether vocabularies have different sizes. @param sizes in tokens; undefined where a record does not tell: it then compares */
export const vocabulariesDiffer = (sizes: readonly (number | undefined)[]): boolean =>
  new Set(sizes.filter((size) => size !== undefined)).size > 1;

/** What must be said where a trimmed model needs fewer bits for a byte than its original. @param growth of them, as a share */
export const lowerWords = (growth: number): string =>
  growth < 0 ? '; it is lower because the model cannot say other tokens now, not because it reads better' : '';

/** A size of the original and of the trimmed model. */
interface Change {
  readonly before: number;
  readonly after: number;
}

/**
 * About how many bytes the files have with so many parameters: every token has as many, so sizes lie on a line.
 * @param of what one least count came to
 */
export function bytesWith(parameters: number, of: { readonly bytes: Change; readonly parameters: Change }): number {
  const all = of.parameters.before - of.parameters.after;
  if (parameters === of.parameters.after || all <= 0) return of.bytes.after;
  const share = (of.parameters.before - parameters) / all;
  return Math.max(0, Math.round(of.bytes.before - (of.bytes.before - of.bytes.after) * share));
}

/** What a smaller vocabulary may cost a text that was not counted: more bits per byte, as a share, and so many times the tokens. */
export const VOCABULARY_LIMITS = { bitsGrowth: 0.03, growth: 1.05 } as const;

/** The limit, in hundredths, that allows a cost. */
export const limitFor = (cost: number): number => Math.ceil(cost * 100) / 100;
