/**
 * Bits per byte: what a model needs to say a text, whatever its vocabulary. A perplexity counts tokens, and models with
 * different vocabularies cut one text into other tokens, so their perplexities do not compare.
 *
 * Bits per byte = mean loss of a token / ln 2 × tokens of the text / bytes of the text, over the text that is in the rows. The
 * first token of a row that begins without BOS is not predicted: it counts at the mean loss of the others.
 */
import type { DecodeOptions, Tokenizer } from '../tokenizer/tokenizer';

/** How long the text of some rows is. */
export interface TextSize {
  /** Tokens of the text, without those that were put before it. */
  readonly tokens: number;
  /** The same text in UTF-8. */
  readonly bytes: number;
}

/** @param meanNll mean loss of a token in nats */
export const bitsPerByte = (meanNll: number, { tokens, bytes }: TextSize): number =>
  ((meanNll / Math.LN2) * tokens) / bytes;

type Decoder = Pick<Tokenizer, 'decode'>;

/** The text's own: a special token in it stands for bytes of it. */
const ALL: DecodeOptions = { skipSpecialTokens: false };

/**
 * The size of the start of a text. What comes after it is decoded, not the start itself, so that a tokenizer that rewrites
 * what it reads changes little. A character that the end cuts belongs to the rest.
 * @param text that was encoded @param ids all of its tokens @param tokens of the start
 * @throws UserError if the tokenizer fails, CancelledError
 */
export async function sizeOfStart(
  tokenizer: Decoder,
  { text, ids }: { readonly text: string; readonly ids: readonly number[] },
  tokens: number,
): Promise<TextSize> {
  const rest =
    tokens < ids.length ? await tokenizer.decode(ids.slice(tokens), { ...ALL, after: ids.slice(0, tokens) }) : '';
  return { tokens, bytes: Buffer.byteLength(text) - Buffer.byteLength(rest) };
}

/**
 * The size of rows that were drawn from a text. A character that an end of a row cuts counts one byte for each piece that cannot
 * be read.
 * @param begin begin-of-text token; at the start of a row it is no part of the text
 * @throws UserError if the tokenizer fails, CancelledError
 */
export async function sizeOfRows(
  tokenizer: Pick<Tokenizer, 'encode' | 'decode'>,
  rows: readonly ArrayLike<number>[],
  begin: number | undefined,
): Promise<TextSize> {
  // Decoders may drop the blank at the start of a text, and a row begins anywhere in one.
  const after = await tokenizer.encode('a', { addSpecialTokens: false });
  let [tokens, bytes] = [0, 0];
  for (const row of rows) {
    const ids = Array.from(row).slice(row[0] === begin ? 1 : 0);
    tokens += ids.length;
    bytes += bytesOf(await tokenizer.decode(ids, { ...ALL, after }));
  }
  return { tokens, bytes };
}

function bytesOf(text: string): number {
  const [start, end] = [/^\ufffd*/, /\ufffd*$/].map((cut) => cut.exec(text)![0].length);
  const cut = Math.min(start + end, text.length);
  return Buffer.byteLength(text) - 2 * cut; // U+FFFD has three
}
