/** The vocabulary of a GGUF file: one token for each row of the embedding, by id. */
import type { TokenizerFiles } from '../files';
import { ID_CAP, TOKEN_TEXT_CAP } from '../limits';
import { KEYS, shown, type TokenizerFields } from './fields';
import { Refusal } from './refusal';
import { isByteToken, padding, type TokenKind, tokenKind } from './token-types';

export interface GgufToken {
  readonly text: string;
  readonly kind: TokenKind;
}

export interface Vocabulary {
  /** By id. */
  readonly tokens: readonly GgufToken[];
  /** Ids by text. */
  readonly ids: ReadonlyMap<string, number>;
}

/** @throws UserError for lists that are missing, of different lengths or beyond the caps, and for texts that occur twice */
export function readVocabulary(fields: TokenizerFields): Vocabulary {
  const texts = fields.texts(KEYS.tokens, TOKEN_TEXT_CAP);
  if (texts.length > ID_CAP) throw fields.damaged(KEYS.tokens, `it has ${texts.length} items, more than ${ID_CAP}`);
  if (texts.length === 0) throw fields.damaged(KEYS.tokens, 'it is empty');
  const empty = texts.filter((text) => text === '').length;
  // A few ids without a text occur. Where most have none, every text would become unknown tokens.
  if (2 * empty > texts.length) throw fields.damaged(KEYS.tokens, `${empty} of its ${texts.length} items are empty`);
  const types = fields.numbers(KEYS.types, texts.length);
  const ids = new Map<string, number>();
  const tokens = texts.map((given, id): GgufToken => {
    const text = given === '' ? `[EMPTY_${id}]` : given; // as llama.cpp names it
    const other = ids.get(text);
    if (other !== undefined) throw fields.damaged(KEYS.tokens, `its items ${other} and ${id} are both ${shown(text)}`);
    ids.set(text, id);
    const kind = tokenKind(types[id]);
    if (kind === undefined) throw fields.damaged(KEYS.types, `its item ${id} is ${types[id]}, not a type from 1 to 6`);
    return { text, kind };
  });
  return { tokens, ids };
}

/** Whether the token only fills an id that the tokenizer does not have. */
export const isPadding = ({ text, kind }: GgufToken, id: number): boolean => kind === 'unused' && text === padding(id);

/**
 * @param vocabulary rows of the embedding; ids that the tokenizer does not have are filled
 * @param pieces whether spaces are written as ▁
 * @throws Refusal for ids beyond the embedding, and for texts that occur twice
 */
export function writtenTokens({ description }: TokenizerFiles, vocabulary: number, pieces: boolean): GgufToken[] {
  const { model, added_tokens: added } = description;
  const tokens: GgufToken[] = Array.from({ length: vocabulary }, (_, id) => ({ text: padding(id), kind: 'unused' }));
  const put = (id: number, token: GgufToken): void => {
    if (id >= vocabulary) {
      const has = `the embedding has ${vocabulary} rows`;
      throw new Refusal(
        `its token ${JSON.stringify(token.text)} has the id ${id}, but ${has}`,
        'Get tokenizer.json and weights from the same revision of the model.',
      );
    }
    tokens[id] = token;
  };
  for (const [text, id] of Object.entries(model.vocab as Record<string, number>)) {
    const kind = text === model.unk_token && pieces ? 'unknown' : pieces && isByteToken(text) ? 'byte' : 'normal';
    put(id, { text, kind });
  }
  for (const { id, content, special } of added) {
    const text = content as string;
    if (tokens.at(id as number)?.kind === 'unknown' && tokens[id as number].text === text) continue;
    put(id as number, special === true ? { text, kind: 'control' } : { text: plainText(text, pieces), kind: 'added' });
  }
  requireDistinct(tokens);
  return tokens;
}

/** Tokens that are found in the text itself have its spaces. */
const plainText = (text: string, pieces: boolean): string => (pieces ? text.replaceAll('\u2581', ' ') : text);

/** llama.cpp aborts when two tokens have the same text. */
function requireDistinct(tokens: readonly GgufToken[]): void {
  const ids = new Map<string, number>();
  tokens.forEach(({ text }, id) => {
    const other = ids.get(text);
    if (text === '') throw new Refusal(`its token ${id} is empty`);
    if (other !== undefined) throw new Refusal(`its tokens ${other} and ${id} are both ${JSON.stringify(text)}`);
    ids.set(text, id);
  });
}
