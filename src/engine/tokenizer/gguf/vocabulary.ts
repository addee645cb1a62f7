/** The tokens of a GGUF file by id, and which of them begin and end a text. */
import { ID_CAP, TOKEN_TEXT_CAP } from '../limits';
import { KEYS, shown, type TokenizerFields } from './fields';
import { padding, type TokenKind, tokenKind } from './token-types';

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

/** Tokens with a part, and what is put around a text. */
export interface SpecialTokens {
  readonly bos?: string;
  readonly eos?: string;
  readonly unknown?: string;
  readonly padding?: string;
  readonly addBos: boolean;
  readonly addEos: boolean;
}

/** What llama.cpp assumes of keys that a file does not have. */
export interface SpecialDefaults {
  readonly bos?: number;
  readonly eos?: number;
  readonly unknown?: number;
  readonly addBos: boolean;
}

/** @throws UserError for ids that no token has, and for a text that would begin or end with a token that is not named */
export function readSpecialTokens(
  fields: TokenizerFields,
  { tokens }: Vocabulary,
  defaults: SpecialDefaults,
): SpecialTokens {
  const token = (name: string, missing?: number): string | undefined => {
    const key = `tokenizer.ggml.${name}_token_id`;
    const id = fields.count(key);
    // A default is for LLaMA's own vocabulary; a smaller one may not have it.
    if (id === undefined) return missing === undefined ? undefined : tokens.at(missing)?.text;
    if (id < tokens.length) return tokens[id].text;
    // Old converters wrote −1 or the next free id for "none". Nothing is computed with it.
    if (name === 'padding') return undefined;
    throw fields.damaged(key, `it is ${id}, but there are ${tokens.length} tokens`);
  };
  const specials = {
    bos: token('bos', defaults.bos),
    eos: token('eos', defaults.eos),
    unknown: token('unknown', defaults.unknown),
    padding: token('padding'),
    addBos: fields.flag('tokenizer.ggml.add_bos_token') ?? defaults.addBos,
    addEos: fields.flag('tokenizer.ggml.add_eos_token') ?? false,
  };
  const { bos, eos, addBos, addEos } = specials;
  if (addBos && bos === undefined) throw missingEnd(fields, 'bos', 'begins');
  if (addEos && eos === undefined) throw missingEnd(fields, 'eos', 'ends');
  return specials;
}

const missingEnd = (fields: TokenizerFields, name: string, does: string): Error =>
  fields.damaged(`tokenizer.ggml.${name}_token_id`, `it is missing, although every text ${does} with this token`);
