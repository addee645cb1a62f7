/** What a token of a GGUF file is, by llama.cpp's numbers, for both directions. */

export type TokenKind = 'normal' | 'unknown' | 'control' | 'added' | 'unused' | 'byte';

/** llama.cpp finds control and added tokens in a text before it cuts the rest into words. */
export const TOKEN_TYPES: Readonly<Record<TokenKind, number>> = {
  normal: 1,
  unknown: 2,
  control: 3,
  added: 4,
  unused: 5,
  byte: 6,
};

const KINDS = new Map(Object.entries(TOKEN_TYPES).map(([kind, number]) => [number, kind as TokenKind]));

/** The kind of a number; undefined for none of llama.cpp's. */
export const tokenKind = (type: number): TokenKind | undefined => KINDS.get(type);

/** What fills an id that a tokenizer does not have, so that there is one token for each row of the embedding. */
export const padding = (id: number): string => `[PAD${id}]`;

/** Whether a token represents one byte, such as "<0x0A>". */
export function isByteToken(token: string): boolean {
  return /^<0x[0-9A-Fa-f]{2}>$/.test(token);
}
