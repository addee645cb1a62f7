/**
 * Which split a record of an application's text is in: a function of the record alone. So a file more or less moves no other
 * record, and records that say the same, or begin the same conversation, stay together.
 */
import { createHash } from 'node:crypto';
import { SPLIT_PARTS, TEXT_SPLITS, type TextSplit } from '../../format/text-share';
import type { ApplicationRecord } from './record';

/** A conversation is known by as many characters of its beginning: a log often has it again with every turn. */
const OPENING = 40;

/** The split of a text: the same for texts that differ in blanks, line breaks or capitals only. */
export function splitOfText(text: string): TextSplit {
  const same = text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  const drawn = createHash('sha256').update(same).digest().readUIntBE(0, 6) / 2 ** 48;
  let upTo = 0;
  return TEXT_SPLITS.find((split) => drawn < (upTo += SPLIT_PARTS[split])) ?? 'judging';
}

/** The split of a record that is not cut. */
export const splitOfRecord = (record: ApplicationRecord): TextSplit => splitOfText(whatItAsks(record));

/** What is asked, where something is: other answers to the same prompt say much of this one. */
function whatItAsks(record: ApplicationRecord): string {
  switch (record.kind) {
    case 'document':
      return record.text;
    case 'answer':
      return record.prompt;
    case 'instruction':
      return [record.instruction.instruction, record.instruction.input].filter((text) => text !== '').join('\n');
    case 'chat': {
      // Applications say the same to the model in every conversation before its user says anything.
      const turns = record.messages.filter(({ role }) => role !== 'system' && role !== 'developer');
      let opening = '';
      for (const { content } of turns.length > 0 ? turns : record.messages) {
        opening += opening === '' ? content : `\n${content}`;
        if (opening.length >= OPENING) break;
      }
      return opening;
    }
  }
}
