/** The tokens of a tokenizer, as far as a smaller vocabulary is made from them: ids, merges, added tokens. */
import { UserError } from '../errors';
import type { TokenizerDescription } from '../tokenizer/files';
import { isObject } from '../../format/json';
import { isByteToken } from '../tokenizer/gguf/token-types';

/** How text becomes tokens: byte-level BPE, BPE with tokens of bytes to fall back on, or the best path through pieces. */
export type VocabularyKind = 'bpe-bytes' | 'bpe-fallback' | 'bpe' | 'unigram';

/** A token that is found in the text itself. */
export interface AddedToken {
  readonly id: number;
  readonly special: boolean;
}

export interface Tokens {
  readonly kind: VocabularyKind;
  /** One more than the largest id. */
  readonly size: number;
  /** By id; undefined for ids that no token has. */
  readonly texts: readonly (string | undefined)[];
  /** Ids of the model's own tokens, by text. */
  readonly model: ReadonlyMap<string, number>;
  readonly added: ReadonlyMap<string, AddedToken>;
  /** The two parts of each merge, the first one first. */
  readonly merges: readonly (readonly [string, string])[];
  /** Id of the unknown token. */
  readonly unknown: number | undefined;
}

/** The id of a text, added or not; an added one has its own. */
export const idOf = ({ model, added }: Tokens, text: string): number | undefined =>
  added.get(text)?.id ?? model.get(text);

/**
 * @param file of the tokenizer, for messages
 * @throws UserError for a kind whose vocabulary cannot be trimmed
 */
export function readTokens(description: TokenizerDescription, file: string): Tokens {
  const { model, added_tokens: listed } = description;
  const refused = (why: string): UserError =>
    new UserError(`The vocabulary of ${file} cannot be trimmed`, why, 'Leave its vocabulary as it is.');
  if (model.type !== 'BPE' && model.type !== 'Unigram') {
    throw refused(
      `it is of the kind ${model.type}, and byte-level BPE, BPE with byte tokens, and Unigram can be trimmed`,
    );
  }
  for (const name of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout'] as const) {
    if (model[name] !== undefined && model[name] !== null && model[name] !== '' && model[name] !== 0) {
      throw refused(`its field "model.${name}" is set, with which a token is not the text of its parts`);
    }
  }
  const added = new Map(
    listed.map(({ id, content, special }) => [content as string, { id: id as number, special: special === true }]),
  );
  const own =
    model.type === 'Unigram'
      ? new Map((model.vocab as [string, number][]).map(([text], id) => [text, id]))
      : new Map(Object.entries(model.vocab as Record<string, number>));
  const texts: (string | undefined)[] = [];
  for (const [text, id] of own) texts[id] = text;
  for (const [text, { id }] of added) texts[id] = text;
  const isByteLevel = [description.pre_tokenizer, description.decoder].some(hasByteLevel);
  const unknown =
    model.type === 'Unigram'
      ? model.unk_id
      : typeof model.unk_token === 'string'
        ? own.get(model.unk_token)
        : undefined;
  return {
    kind:
      model.type === 'Unigram'
        ? 'unigram'
        : isByteLevel
          ? 'bpe-bytes'
          : model.byte_fallback === true
            ? 'bpe-fallback'
            : 'bpe',
    size: texts.length,
    texts: Array.from(texts),
    model: own,
    added,
    merges: model.type === 'Unigram' ? [] : (model.merges as (string | [string, string])[]).map(partsOf),
    unknown: typeof unknown === 'number' ? unknown : undefined,
  };
}

/** The two parts of a merge, which older files have as one text. */
export const partsOf = (merge: string | readonly [string, string]): readonly [string, string] => {
  if (typeof merge !== 'string') return merge;
  const at = merge.indexOf(' ');
  return [merge.slice(0, at), merge.slice(at + 1)];
};

/** Whether a stage, or one of a sequence of stages, is ByteLevel. */
function hasByteLevel(stage: unknown): boolean {
  if (Array.isArray(stage)) return stage.some(hasByteLevel);
  return isObject(stage) && (stage.type === 'ByteLevel' || Object.values(stage).some(hasByteLevel));
}

/** What makes any text possible: the tokens of bytes, the letters that bytes are written as, or the single characters. */
export function alphabetOf({ kind, model }: Tokens): number[] {
  const isIn = kind === 'bpe-bytes' ? isByteLetter : kind === 'bpe-fallback' ? isByteToken : isSingle;
  return [...model].filter(([text]) => isIn(text)).map(([, id]) => id);
}

const isSingle = (text: string): boolean => Array.from(text).length === 1;

/** The 256 characters that byte-level BPE writes bytes as (GPT-2): printable ones of Latin-1 as they are, the others behind it. */
export const BYTE_VALUES: ReadonlyMap<string, number> = (() => {
  const printable = [...range(33, 127), ...range(161, 173), ...range(174, 256)];
  const others = range(0, 256).filter((byte) => !printable.includes(byte));
  return new Map([
    ...printable.map((byte): [string, number] => [String.fromCharCode(byte), byte]),
    ...others.map((byte, i): [string, number] => [String.fromCharCode(256 + i), byte]),
  ]);
})();
const isByteLetter = (text: string): boolean => BYTE_VALUES.has(text);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
