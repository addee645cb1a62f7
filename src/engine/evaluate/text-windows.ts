/** Windows of a text. The text is encoded only as far as the windows reach. */
import type { Encoder } from '../tokenizer/bos';
import { type EvaluationWindows, evaluationWindows, type WindowOptions } from './windows';

/** The windows, and what was encoded for them. */
export interface TextWindows extends EvaluationWindows {
  /** The start of the text as far as it was encoded, and its tokens: the windows are the first of them. */
  readonly read: { readonly text: string; readonly ids: readonly number[] };
}

/** First estimate of characters per token. Prose has four or five, code fewer. */
const CHARACTERS_A_TOKEN = 8;

/**
 * The windows of `evaluationWindows` over the whole text. With a limit, a piece at the start is encoded, and a piece
 * twice as long. If both begin with the same tokens, as many as needed, the rest of the text has no influence on them.
 * (Only the tokens at the end of a piece can differ, where a word is cut.)
 * @throws UserError as `evaluationWindows` does
 */
export async function windowsOfText(tokenizer: Encoder, text: string, options: WindowOptions): Promise<TextWindows> {
  const encode = async (length: number): Promise<TextWindows['read']> => {
    const start = text.slice(0, wholeCharacters(text, length));
    return { text: start, ids: await tokenizer.encode(start, { addSpecialTokens: false }) };
  };
  const wanted = options.window * (options.limit ?? Infinity);
  for (let length = CHARACTERS_A_TOKEN * wanted; 2 * length < text.length; length *= 2) {
    const read = await encode(length);
    if (read.ids.length >= wanted && startsAlike(read.ids, (await encode(2 * length)).ids, wanted)) {
      return { ...evaluationWindows(read.ids.slice(0, wanted), options), read };
    }
  }
  const read = await encode(text.length);
  return { ...evaluationWindows(read.ids, options), read };
}

function startsAlike(a: readonly number[], b: readonly number[], count: number): boolean {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `length`, or one less if it would cut a surrogate pair. */
function wholeCharacters(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return length < text.length && last >= 0xd800 && last < 0xdc00 ? length - 1 : length;
}
