/**
 * The shares of a text, so that no row does two things. A text is cut in two: its beginning chooses blocks and fits weights,
 * its rest judges what came of it. An application's text (engine/application) is split in four. Pure: it imports nothing.
 */

/** `choose` is the beginning of a text, `judge` is its rest. */
export const TEXT_SHARES = ['choose', 'judge'] as const;
/**
 * The splits of an application's text: what chooses blocks, what heals in closed form, what trains, and what judges. Each of its
 * records is in one of them.
 */
export const TEXT_SPLITS = ['calibration', 'healing', 'training', 'judging'] as const;
export const ALL_SHARES = [...TEXT_SHARES, ...TEXT_SPLITS] as const;

/** One of the four splits of an application's text. */
export type TextSplit = (typeof TEXT_SPLITS)[number];
/** Which share of a text is read. */
export type TextShare = (typeof ALL_SHARES)[number];

/** The part of a text that is its beginning. */
export const CHOOSING_PART = 0.7;

/**
 * About how much of an application's text is in each split. Training sees its rows again and again and gains most by more of them; a
 * closed form needs some thousand tokens; scores need a few rows, and a judgement is as sure as its rows are many.
 */
export const SPLIT_PARTS: Readonly<Record<TextSplit, number>> = {
  calibration: 0.2,
  healing: 0.25,
  training: 0.35,
  judging: 0.2,
};

/** The split of that name; undefined for another share, and for none. */
export const splitIn = (share: TextShare | undefined): TextSplit | undefined =>
  TEXT_SPLITS.find((split) => split === share);

/** The share that is for something: of an application's text that split, else what was given. */
export const shareUsedFor = (use: TextSplit, share: TextShare | undefined): TextShare | undefined =>
  splitIn(share) === undefined ? share : use;

/** The share by which something is judged that another one chose. */
export const otherShare = (share: TextShare | undefined): TextShare | undefined =>
  share === undefined ? undefined : splitIn(share) !== undefined ? 'judging' : share === 'choose' ? 'judge' : 'choose';

/** Whether what judges is read: it chose nothing. */
export const isJudging = (share: TextShare | undefined): boolean => share === 'judge' || share === 'judging';

/** About how much of a text the share is: from 0 to 1. */
export function partOfShare(share: TextShare | undefined): number {
  const split = splitIn(share);
  if (split !== undefined) return SPLIT_PARTS[split];
  return share === undefined ? 1 : share === 'choose' ? CHOOSING_PART : 1 - CHOOSING_PART;
}

/** From a record. */
export const readShare = (value: unknown): TextShare | undefined => ALL_SHARES.find((share) => share === value);

/** Only where there is one. */
export const withShare = (share: TextShare | undefined): { readonly share?: TextShare } =>
  share === undefined ? {} : { share };

/** A text by its bytes, with the share of it that was read; all of it where that is undefined. */
export interface ReadText {
  /** SHA-256 (hex) of the file's bytes; of an application's text, of its files. */
  readonly sha256: string;
  readonly share?: TextShare;
}

/** Whether both may have read the same rows: of one text, unless they kept to different shares of one cut. */
export const mayOverlap = (one: ReadText, other: ReadText): boolean =>
  one.sha256 === other.sha256 &&
  (one.share === undefined ||
    other.share === undefined ||
    one.share === other.share ||
    (splitIn(one.share) === undefined) !== (splitIn(other.share) === undefined));

/** ", the first 70 %" behind a text's name, or ", its judging rows"; empty for all of it. */
export const shareWords = (share: TextShare | undefined): string => {
  const percent = Math.round(100 * CHOOSING_PART);
  if (share === undefined) return '';
  if (splitIn(share) !== undefined) return `, its ${share} rows`;
  return share === 'choose' ? `, the first ${percent} %` : `, the last ${100 - percent} %`;
};
