/** Windows of a text, which is encoded no further than they reach. */
import type { Encoder } from '../importance/calibration';
import { type EvaluationWindows, evaluationWindows, type WindowOptions } from './windows';

/** What a first look takes for a token: in prose one has four or five, in code fewer. */
const CHARACTERS_A_TOKEN = 8;

/**
 * The windows of `evaluationWindows` over the whole text. With a limit some of its start is encoded, and twice as much: where
 * both begin with the same tokens, as many as are wanted, what follows has no say in them. (The end of a piece has: a word
 * that is cut gives other tokens.)
 * @throws UserError as `evaluationWindows` does
 */
export async function windowsOfText(
  tokenizer: Encoder,
  text: string,
  options: WindowOptions,
): Promise<EvaluationWindows> {
  const encode = async (length: number): Promise<number[]> =>
    tokenizer.encode(text.slice(0, wholeCharacters(text, length)), { addSpecialTokens: false });
  const wanted = options.window * (options.limit ?? Infinity);
  for (let length = CHARACTERS_A_TOKEN * wanted; 2 * length < text.length; length *= 2) {
    const ids = await encode(length);
    if (ids.length >= wanted && startsAlike(ids, await encode(2 * length), wanted)) {
      return evaluationWindows(ids.slice(0, wanted), options);
    }
  }
  return evaluationWindows(await encode(text.length), options);
}

function startsAlike(a: readonly number[], b: readonly number[], count: number): boolean {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `length`, or one less where that would cut a surrogate pair. */
function wholeCharacters(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return length < text.length && last >= 0xd800 && last < 0xdc00 ? length - 1 : length;
}
