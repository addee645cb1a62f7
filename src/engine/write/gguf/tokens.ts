/** The vocabulary of a GGUF file: one token for each row of the embedding. */
import type { TokenizerFiles } from '../../tokenizer/files';
import { isByteToken, padding, type TokenKind } from '../../tokenizer/gguf/token-types';
import { Refusal } from './refusal';

export interface Token {
  readonly text: string;
  readonly kind: TokenKind;
}

/**
 * @param vocabulary rows of the embedding; ids that the tokenizer does not have are filled
 * @param pieces whether spaces are written as ▁
 * @throws Refusal for ids beyond the embedding, and for texts that occur twice
 */
export function tokensOf({ description }: TokenizerFiles, vocabulary: number, pieces: boolean): Token[] {
  const { model, added_tokens: added } = description;
  const tokens: Token[] = Array.from({ length: vocabulary }, (_, id) => ({ text: padding(id), kind: 'unused' }));
  const put = (id: number, token: Token): void => {
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
function requireDistinct(tokens: readonly Token[]): void {
  const ids = new Map<string, number>();
  tokens.forEach(({ text }, id) => {
    const other = ids.get(text);
    if (text === '') throw new Refusal(`its token ${id} is empty`);
    if (other !== undefined) throw new Refusal(`its tokens ${other} and ${id} are both ${JSON.stringify(text)}`);
    ids.set(text, id);
  });
}
