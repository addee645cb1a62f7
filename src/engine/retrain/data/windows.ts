/**
 * Running text for training: a token stream cut into windows that do not overlap, as for continued pre-training. The
 * first token of a window is not a target. The last window of the stream may be shorter.
 */
import { type Example, exampleOfText } from './example';

/** The smallest window: one token to read, one to predict. */
const LEAST = 2;

/** Characters that are encoded at once. The tokenizer needs some fifty times the memory of its text. */
const PIECE = 2 ** 20;

/**
 * Cuts a stream, given in pieces, into examples of `length` tokens with the loss on every token. `prefix` (BOS) is put
 * before each window and counts among its tokens. A remainder of one token is dropped.
 */
export function streamExamples(
  pieces: readonly ArrayLike<number>[],
  length: number,
  prefix: readonly number[],
): Example[] {
  const stream = joined(pieces);
  const step = length - prefix.length;
  const windows: Example[] = [];
  for (let start = 0; start < stream.length; start += step) {
    const part = stream.subarray(start, start + step);
    if (prefix.length + part.length < LEAST) break;
    const ids = new Int32Array(prefix.length + part.length);
    ids.set(prefix);
    ids.set(part, prefix.length);
    windows.push(exampleOfText(ids));
  }
  return windows;
}

function joined(pieces: readonly ArrayLike<number>[]): Int32Array {
  const stream = new Int32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    stream.set(piece, offset);
    offset += piece.length;
  }
  return stream;
}

/**
 * Cuts a text into pieces that are encoded one by one, so that memory stays bounded and the work can be cancelled.
 * Pieces begin at a paragraph if one is near, else at a line; a text below a mebibyte is one piece. At a seam, the ids
 * may differ by a token from those of the whole text.
 */
export function textPieces(text: string, size = PIECE): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > size) {
    const end = seam(text, start, size);
    pieces.push(text.slice(start, end));
    start = end;
  }
  if (start < text.length) pieces.push(text.slice(start));
  return pieces;
}

/**
 * Where the piece that begins at `start` ends: after the last blank line of its second half, else the last line, else
 * the last character.
 */
function seam(text: string, start: number, size: number): number {
  const limit = start + size;
  for (const mark of ['\n\n', '\n', ' ']) {
    const found = text.lastIndexOf(mark, limit - mark.length);
    // A space stays with the word after it, as in most tokenizers.
    if (found > start + size / 2) return mark === ' ' ? found : found + mark.length;
  }
  const low = text.charCodeAt(limit);
  return low >= 0xdc00 && low < 0xe000 ? limit + 1 : limit; // never inside a surrogate pair
}
