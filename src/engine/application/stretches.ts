/**
 * Long documents are cut into stretches, each of which is in a split of its own, with a gap where two splits meet: the end of one
 * stretch says much of the beginning of the next. Where the cuts are follows from the paragraphs around them, so that a
 * change in a document moves the stretches near it only.
 */
import { createHash } from 'node:crypto';
import type { TextSplit } from '../../format/text-share';
import { splitOfText } from './split';

/** Characters of a stretch: some windows of tokens. A document of at most `most` is whole. */
export const STRETCH = { least: 2000, most: 8000 } as const;
/** Characters that are left out where two splits meet, at least. */
export const GAP = 256;
/** A gap ends at a border of the text, if one is so near. */
const GAP_REACH = 1024;
/** A stretch that is long enough ends at one paragraph of so many. */
const ENDS_AT = 4;

export interface Stretch {
  readonly text: string;
  readonly split: TextSplit;
}

/** The stretches of a document, without those that have no text. */
export function stretchesOf(document: string): Stretch[] {
  const found = cut(document).map((text) => ({ text, split: splitOfText(text) }));
  return found
    .map(({ text, split }, i) => ({ split, text: i > 0 && found[i - 1].split !== split ? afterGap(text) : text }))
    .filter(({ text }) => text.trim() !== '');
}

function cut(document: string): string[] {
  if (document.length <= STRETCH.most) return [document];
  const stretches: string[] = [];
  let own = '';
  for (const piece of pieces(document)) {
    if (own !== '' && own.length + piece.length > STRETCH.most) {
      stretches.push(own);
      own = '';
    }
    own += piece;
    if (own.length >= STRETCH.least && endsHere(piece)) {
      stretches.push(own);
      own = '';
    }
  }
  return own === '' ? stretches : [...stretches, own];
}

/** Whether a stretch may end behind this paragraph: the same for the same paragraph. */
const endsHere = (piece: string): boolean =>
  createHash('sha256').update(piece.trim()).digest().readUInt32BE(0) % ENDS_AT === 0;

/** Paragraphs with the blank lines behind them; longer ones in parts. Together they are the text. */
function* pieces(document: string): Generator<string> {
  const parts = document.split(/(\n[^\S\n]*\n)/);
  for (let i = 0; i < parts.length; i += 2) yield* shortened(parts[i] + (parts[i + 1] ?? ''));
}

function* shortened(paragraph: string): Generator<string> {
  let from = 0;
  while (paragraph.length - from > STRETCH.least) {
    const length = lengthToBorder(paragraph.slice(from, from + STRETCH.least));
    yield paragraph.slice(from, from + length);
    from += length;
  }
  yield paragraph.slice(from);
}

/** Up to the end of its last line, sentence or word, if that is not in its first half. */
function lengthToBorder(text: string): number {
  for (const border of ['\n', '. ', ' ']) {
    const at = text.lastIndexOf(border);
    if (at >= text.length / 2) return at + border.length;
  }
  return wholeCharacters(text);
}

/** Its length without half a character at its end. */
const wholeCharacters = (text: string): number => {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? text.length - 1 : text.length;
};

/** Without its beginning, up to the next paragraph, line, sentence or word. */
function afterGap(text: string): string {
  const near = text.slice(GAP, GAP + GAP_REACH);
  for (const border of [/\n[^\S\n]*\n/, /\n/, /[.!?]\s/, /\s/]) {
    const found = border.exec(near);
    if (found) return text.slice(GAP + found.index + found[0].length);
  }
  const first = text.charCodeAt(GAP);
  return text.slice(first >= 0xdc00 && first < 0xe000 ? GAP + 1 : GAP);
}
