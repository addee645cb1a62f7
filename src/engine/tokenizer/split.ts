/**
 * Cuts a text at the matches of a pattern, with all behaviours of the original library. @huggingface/tokenizers 0.2.0
 * has two of the five, and loses the gaps of an inverted pattern.
 */
import { PreTokenizer, type SplitPreTokenizer } from '@huggingface/tokenizers';

/** A part of a text: a match of the pattern, or what lies between two. An inverted pattern swaps them. */
interface Span {
  readonly text: string;
  readonly isMatch: boolean;
}

/** What becomes of the matches. */
const BEHAVIORS: Readonly<Record<string, (parts: readonly Span[]) => string[]>> = {
  Isolated: (parts) => parts.map(({ text }) => text),
  Removed: (parts) => parts.filter(({ isMatch }) => !isMatch).map(({ text }) => text),
  Contiguous: (parts) => joined(parts, (part, previous) => part.isMatch === previous.isMatch),
  MergedWithPrevious: (parts) => joined(parts, (part, previous) => part.isMatch && !previous.isMatch),
  MergedWithNext: (parts) => joined(parts, (part, previous) => previous.isMatch && !part.isMatch),
};

/** Joins each part to the one before it where `joins` says so. */
function joined(parts: readonly Span[], joins: (part: Span, previous: Span) => boolean): string[] {
  const texts: string[] = [];
  for (const [i, part] of parts.entries()) {
    if (i > 0 && joins(part, parts[i - 1])) texts[texts.length - 1] += part.text;
    else texts.push(part.text);
  }
  return texts;
}

export class MendedSplit extends PreTokenizer {
  private readonly pattern: RegExp;
  private readonly inverted: boolean;
  private readonly pieces: (parts: readonly Span[]) => string[];

  /** @throws Error for a behaviour that the original library does not have either */
  constructor({ pattern, config }: SplitPreTokenizer) {
    super();
    const behavior: unknown = config.behavior ?? 'Isolated';
    if (pattern === null || typeof behavior !== 'string' || !Object.hasOwn(BEHAVIORS, behavior)) {
      throw new Error(`a "Split" pre-tokenizer with behavior ${JSON.stringify(behavior)} is not supported`);
    }
    this.pattern = pattern;
    this.inverted = (config.invert as boolean | null | undefined) ?? false;
    this.pieces = BEHAVIORS[behavior];
  }

  override pre_tokenize_text(text: string): string[] {
    return this.pieces(this.parts(text)).filter((piece) => piece !== '');
  }

  private parts(text: string): Span[] {
    const parts: Span[] = [];
    let end = 0;
    for (const { 0: found, index } of text.matchAll(this.pattern)) {
      if (index > end) parts.push({ text: text.slice(end, index), isMatch: this.inverted });
      parts.push({ text: found, isMatch: !this.inverted });
      end = index + found.length;
    }
    if (end < text.length) parts.push({ text: text.slice(end), isMatch: this.inverted });
    return parts;
  }
}
