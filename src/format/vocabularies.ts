/** Models with different vocabularies: what of their numbers compares. */

/** English, for reports and the terminal. */
export const OTHER_VOCABULARIES =
  'Their vocabularies differ, so perplexities of a token do not compare: bits per byte of the same text do.';

/** Whether vocabularies have different sizes. @param sizes in tokens; undefined where a record does not tell: it then compares */
export const vocabulariesDiffer = (sizes: readonly (number | undefined)[]): boolean =>
  new Set(sizes.filter((size) => size !== undefined)).size > 1;
