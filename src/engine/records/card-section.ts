/**
 * The section "Before and after" of the model card (README.md) of a checkpoint that Coppice wrote. It stands between two
 * markers, and nothing else of the card changes. Digests of a folder leave it out (`withoutSection`).
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../checkpoint/types';
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import { systemErrorCode } from '../errors';
import { readSmallFile } from '../files/regular-file';
import { writeWhole } from '../files/whole-file';
import { inline } from '../markdown';
import type { BeforeAfter } from './before-after/before-after';
import { numbersTable, sampleText } from './before-after/markdown';
import { recordIn } from './record';

const BEGIN = '<!-- coppice: before and after -->';
const END = '<!-- coppice: end -->';
/** With the line breaks that were added for it. */
const SECTION = new RegExp(`\\n${BEGIN}\\n[\\s\\S]*?\\n${END}\\n`);

export const CARD = 'README.md';
/** Larger cards are not touched. */
const MAX_CARD_BYTES = 4_000_000;
/** Of each sample text. */
const MAX_CHARACTERS = 280;

/** @returns the card with this section in place of an earlier one, at its end if there was none */
export function withSection(card: string, section: string): string {
  const whole = `\n${BEGIN}\n${section.trim()}\n${END}\n`;
  return SECTION.test(card) ? card.replace(SECTION, () => whole) : card + whole;
}

/** The card as it was written. */
export const withoutSection = (card: string): string => card.replace(SECTION, '');

/** The measured numbers and short samples; what is missing stays out of the card. */
export function cardSection(found: BeforeAfter): string {
  const { models, samples } = found;
  return [
    '## Before and after',
    `${inline(found.subject)} beside ${inline(models[0])}, each row measured alike on both.`,
    numbersTable(found),
    ...samples.map((sample) => sampleText(sample, models, MAX_CHARACTERS)),
  ].join('\n\n');
}

/**
 * Puts the section into the card of the checkpoint. The card is replaced as a whole.
 * @returns the file; undefined for a checkpoint that Coppice did not write, a GGUF file, or one without a readable card
 * @throws UserError when the card cannot be written
 */
export async function updateCard(checkpoint: Checkpoint, found: BeforeAfter): Promise<string | undefined> {
  const { folder, home } = checkpoint;
  if (isGgufCheckpoint(checkpoint) || !(await recordIn(home))) return undefined;
  const file = join(folder, CARD);
  const card = await readCard(file);
  if (card === undefined) return undefined;
  const next = withSection(card, cardSection(found));
  if (next === card) return file;
  await writeWhole(file, next);
  return file;
}

/** Undefined for anything but a plain file of UTF-8 text: that would not stay as it is. */
async function readCard(file: string): Promise<string | undefined> {
  try {
    const stats = await lstat(file);
    if (!stats.isFile() || stats.size > MAX_CARD_BYTES) return undefined;
    const bytes = await readSmallFile(file, MAX_CARD_BYTES);
    const text = bytes.toString('utf8');
    return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
