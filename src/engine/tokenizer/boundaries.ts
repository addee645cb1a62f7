/**
 * Cuts a long text for byte-pair encoding at positions that no merge can cross.
 *
 * Tokenizers converted from SentencePiece have no pre-tokenizer: the whole text is one "word", and one priority queue
 * over a million symbols is slow. Merges join neighbouring symbols only, and a symbol is a run of the text's
 * characters. So if no merge (left, right) has `left` ending in character a and `right` starting with b, then a|b is
 * never joined in any order of merges, and the two sides are independent. Cutting there gives the same tokens. The
 * pieces are mostly words that repeat, so they can be cached.
 */
import { PreTokenizer } from '@huggingface/tokenizers';

export class MergeBoundaryPreTokenizer extends PreTokenizer {
  /** By last character of `left`, the first characters of `right`, over all merges. */
  private readonly joins = new Map<string, Set<string>>();

  constructor(
    merges: Iterable<readonly [left: string, right: string]>,
    /** The tokenizer's pre-tokenizer, if any. It runs before the cut. */
    private readonly inner: PreTokenizer | null,
  ) {
    super();
    for (const [left, right] of merges) {
      const last = lastCharacter(left);
      let firsts = this.joins.get(last);
      if (firsts === undefined) this.joins.set(last, (firsts = new Set()));
      firsts.add(String.fromCodePoint(right.codePointAt(0)!));
    }
  }

  /** The pieces of `text` in order. Joined, they are the output of `inner`. */
  override pre_tokenize_text(text: string, options?: { section_index?: number }): string[] {
    const texts = this.inner === null ? [text] : this.inner.pre_tokenize(text, options);
    return texts.flatMap((part) => this.cut(part));
  }

  private cut(text: string): string[] {
    const pieces: string[] = [];
    let start = 0;
    let position = 0;
    let previous: Set<string> | undefined;
    for (const character of text) {
      if (position > start && previous?.has(character) !== true) {
        pieces.push(text.slice(start, position));
        start = position;
      }
      previous = this.joins.get(character);
      position += character.length;
    }
    if (position > start) pieces.push(text.slice(start));
    return pieces;
  }
}

function lastCharacter(text: string): string {
  const last = text.codePointAt(text.length - 2);
  return last !== undefined && last > 0xffff ? String.fromCodePoint(last) : text.slice(-1);
}
