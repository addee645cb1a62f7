/**
 * The two shares of a text: one chooses blocks and fits weights, the other one judges what came of it, so that no row
 * does both. Pure: it imports nothing.
 */

/** `choose` is the beginning of a text, `judge` is its rest. */
export const TEXT_SHARES = ['choose', 'judge'] as const;
/** Which share of a text is read. */
export type TextShare = (typeof TEXT_SHARES)[number];

/** The part of a text that is its beginning. */
export const CHOOSING_PART = 0.7;

export const otherShare = (share: TextShare | undefined): TextShare | undefined =>
  share === undefined ? undefined : share === 'choose' ? 'judge' : 'choose';

/** From a record. */
export const readShare = (value: unknown): TextShare | undefined => TEXT_SHARES.find((share) => share === value);

/** Only where there is one. */
export const withShare = (share: TextShare | undefined): { readonly share?: TextShare } =>
  share === undefined ? {} : { share };

/** A text by its bytes, with the share of it that was read; all of it where that is undefined. */
export interface ReadText {
  /** SHA-256 (hex) of the file's bytes. */
  readonly sha256: string;
  readonly share?: TextShare;
}

/** Whether both may have read the same rows: of one text, unless they kept to different shares. */
export const mayOverlap = (one: ReadText, other: ReadText): boolean =>
  one.sha256 === other.sha256 && (one.share === undefined || other.share === undefined || one.share === other.share);

/** ", the first 70 %" behind a text's name; empty for all of it. */
export const shareWords = (share: TextShare | undefined): string => {
  const percent = Math.round(100 * CHOOSING_PART);
  if (share === undefined) return '';
  return share === 'choose' ? `, the first ${percent} %` : `, the last ${100 - percent} %`;
};
