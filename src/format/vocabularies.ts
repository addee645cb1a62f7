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
