/** A tokenizer for the tests of training data: a token a character, and a chat template in two marks a turn. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TextEncoder } from '../../../../src/engine/retrain/data/options';
import type { Example } from '../../../../src/engine/retrain/data/example';
import { temporaryFolder } from '../../../support/temporary';

export const BOS = 1;
export const EOS = 2;

/** Ids are code points; BOS before a text encoded with special tokens; the letter ¶ stands for EOS. */
export const characters: TextEncoder = {
  hasChatTemplate: true,
  beginsWith: BOS,
  encode: (text, { addSpecialTokens }) => [
    ...(addSpecialTokens ? [BOS] : []),
    ...Array.from(text, (character) => (character === '¶' ? EOS : character.codePointAt(0)!)),
  ],
  chat: (messages, { addGenerationPrompt }) =>
    messages.map(({ role, content }) => `<${role}>${content}¶\n`).join('') + (addGenerationPrompt ? '<assistant>' : ''),
};

/** Texts as the tokenizer alone begins them. */
export const STREAM = { mode: 'stream', id: BOS } as const;

/** What `characters` encoded. */
export const textOf = (ids: Iterable<number>): string =>
  Array.from(ids, (id) => (id === BOS ? '^' : id === EOS ? '¶' : String.fromCodePoint(id))).join('');

/** The text with every token that is no target as a dot. */
export const learnt = ({ ids, labels }: Example): string =>
  textOf(ids.map((id, i) => (labels[i] === id ? id : '.'.codePointAt(0)!)));

/** A file of that name and content in a fresh folder; anything but a string is written as JSON. */
export function write(name: string, content: unknown): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}
