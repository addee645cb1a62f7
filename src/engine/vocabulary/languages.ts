/** The tokens that can be of some languages, by the letters that they are written with. */
import { type Language, writtenIn } from '../../format/languages';
import { BYTE_VALUES, type Tokens } from './tokens';

/** Ids of the model's own tokens whose text has letters of these languages only. A token that is a part of a character is of none. */
export function tokensOfLanguages({ model, kind }: Tokens, languages: readonly Language[]): number[] {
  const isWritten = writtenIn(languages);
  return [...model].flatMap(([token, id]) => {
    const text = kind === 'bpe-bytes' ? textOfBytes(token) : token;
    return text !== undefined && isWritten(text) ? [id] : [];
  });
}

/** What a token of byte-level BPE stands for; undefined where its bytes are no text. */
function textOfBytes(token: string): string | undefined {
  const bytes = Array.from(token, (letter) => BYTE_VALUES.get(letter));
  if (!bytes.every((byte) => byte !== undefined)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
