/** How often texts use each token. Texts are read as they come, in pieces that end after each run of line breaks. */
import { throwIfCancelled } from '../errors';
import type { Tokenizer } from '../tokenizer/tokenizer';

/** Characters of a piece: a longer line is cut at a blank. */
const LONGEST = 10_000;

/** Pieces that are encoded in one go. */
export const BATCH = 256;

/** A text in pieces: each ends after a run of line breaks, the last one at the end. */
export const piecesOf = (text: string): string[] => text.split(/(?<=\n)(?!\n)/).flatMap((piece) => [...cut(piece)]);

function* cut(piece: string): Generator<string> {
  let at = 0;
  while (piece.length - at > LONGEST) {
    const blank = piece.lastIndexOf(' ', at + LONGEST);
    const end = blank > at ? blank : wholeCharacters(piece, at + LONGEST);
    yield piece.slice(at, end);
    at = end;
  }
  if (at < piece.length) yield piece.slice(at);
}

/** `end`, or one less if it would cut a pair of surrogates. */
const wholeCharacters = (text: string, end: number): number => (/[\udc00-\udfff]/.test(text[end]) ? end - 1 : end);

export class TokenCounts {
  /** By id. */
  readonly counts = new Map<number, number>();
  tokens = 0;

  constructor(private readonly tokenizer: Pick<Tokenizer, 'encodeEach'>) {}

  /** @throws UserError if the tokenizer fails; CancelledError */
  async add(pieces: readonly string[], signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < pieces.length; at += BATCH) {
      throwIfCancelled(signal);
      const each = await this.tokenizer.encodeEach(pieces.slice(at, at + BATCH), { addSpecialTokens: false });
      for (const ids of each) {
        for (const id of ids) this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
        this.tokens += ids.length;
      }
    }
  }
}
