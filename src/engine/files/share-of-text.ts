/** Cuts a text into the share that chooses and the one that judges. One place for each text, so that no row is in both. */
import { extname } from 'node:path';
import { CHOOSING_PART, type TextShare } from '../../format/text-share';
import { UserError } from '../errors';

/** A border is looked for from the place of the cut on, as far as this part of the text. */
const REACH = 0.1;

/**
 * The beginning of a text, or its rest. The cut is at a line of JSONL, else between paragraphs, lines or words.
 * @param file names the text in messages, and its extension tells JSONL
 * @throws UserError when a share has no text
 */
export function shareOfText(text: string, file: string, share: TextShare | undefined): string {
  if (share === undefined) return text;
  const at = cutOf(text, ['.jsonl', '.ndjson'].includes(extname(file).toLowerCase()));
  const [first, rest] = [text.slice(0, at), text.slice(at)];
  if (first.trim() === '' || rest.trim() === '') throw tooShort(file);
  return share === 'choose' ? first : rest;
}

/**
 * The same of rows or records.
 * @throws UserError when there is one alone
 */
export function shareOfRows<T>(rows: readonly T[], file: string, share: TextShare | undefined): readonly T[] {
  if (share === undefined) return rows;
  if (rows.length < 2) throw tooShort(file);
  const at = Math.min(rows.length - 1, Math.max(1, Math.round(CHOOSING_PART * rows.length)));
  return share === 'choose' ? rows.slice(0, at) : rows.slice(at);
}

function cutOf(text: string, isLines: boolean): number {
  const wanted = Math.floor(CHOOSING_PART * text.length);
  // A line of JSONL may be long, and is never cut.
  if (isLines) {
    const after = text.indexOf('\n', wanted);
    return after >= 0 && text.slice(after).trim() !== '' ? after + 1 : text.lastIndexOf('\n', wanted) + 1;
  }
  const near = text.slice(wanted, wanted + Math.ceil(REACH * text.length));
  for (const border of [/\n[^\S\n]*\n/, /\n/, /\s/]) {
    const found = border.exec(near);
    if (found) return wanted + found.index + found[0].length;
  }
  return isPair(text, wanted) ? wanted + 1 : wanted;
}

/** Whether a cut here would divide a character. */
function isPair(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  return before >= 0xd800 && before < 0xdc00;
}

const tooShort = (file: string): UserError =>
  new UserError(
    `${file} is too short to choose by one part of it and to judge by another`,
    'one of the two would have no text',
    'Give a longer text, or two different ones.',
  );
