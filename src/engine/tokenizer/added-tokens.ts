/**
 * Finds the added tokens of tokenizer.json (special tokens, chat marks) in a text, like the original library: first
 * those that are looked for in the text itself, then, in what the normalizer makes of the rest, those that are marked
 * `normalized`. The nearest one wins, and the longest of those that start there.
 *
 * @huggingface/tokenizers 0.2.0 ignores `single_word`, strips U+FEFF but not U+0085 at `lstrip` and `rstrip`, and takes
 * the text after a `normalized` token for the start of the whole text (`first`).
 */
import type { AddedToken } from '@huggingface/tokenizers';

/** A part of a text: an added token, or text for the pre-tokenizer. */
export type Section =
  | { readonly token: string }
  | {
      readonly text: string;
      /** It starts where the whole text starts. */
      readonly first: boolean;
    };

/** As Rust's \w and \s. */
const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;
const BLANK = /\p{White_Space}/u;

/** One character (UTF-16) deeper a step. */
interface Node {
  readonly next: Map<string, Node>;
  token?: AddedToken;
}

export class AddedTokens {
  private readonly plain = newNode();
  private readonly normalized = newNode();

  /** @param normalize undefined where the tokenizer has no normalizer */
  constructor(
    tokens: Iterable<AddedToken>,
    private readonly normalize: ((text: string) => string) | undefined,
  ) {
    for (const token of tokens) {
      if (token.normalized) insert(this.normalized, normalize?.(token.content) ?? token.content, token);
      else insert(this.plain, token.content, token);
    }
  }

  /** The sections of `text`, normalized, in order; none of them is empty. */
  sections(text: string): Section[] {
    return cut(text, this.plain).flatMap((section) => {
      if ('token' in section) return [section];
      const inner = cut(this.normalize?.(section.text) ?? section.text, this.normalized);
      return inner.map((part) => ('token' in part ? part : { ...part, first: part.first && section.first }));
    });
  }
}

const newNode = (): Node => ({ next: new Map() });

function insert(root: Node, content: string, token: AddedToken): void {
  let node = root;
  for (const unit of content.split('')) {
    let next = node.next.get(unit);
    if (next === undefined) node.next.set(unit, (next = newNode()));
    node = next;
  }
  if (node !== root) node.token = token;
}

function cut(text: string, root: Node): Section[] {
  if (root.next.size === 0) return text === '' ? [] : [{ text, first: true }];
  const sections: Section[] = [];
  let end = 0; // of the last section
  let at = 0;
  while (at < text.length) {
    const found = longestAt(text, at, root);
    if (found === undefined) {
      at += 1;
      continue;
    }
    const { token, length } = found;
    const before = at;
    at += length; // also where the token is not taken: matches do not overlap
    if (token.single_word && !standsAlone(text, before, at)) continue;
    const start = token.lstrip ? blanksBefore(text, before, end) : Math.max(before, end);
    if (start > end) sections.push({ text: text.slice(end, start), first: end === 0 });
    sections.push({ token: token.content });
    end = token.rstrip ? blanksAfter(text, at) : at;
  }
  if (end < text.length) sections.push({ text: text.slice(end), first: end === 0 });
  return sections;
}

function longestAt(text: string, start: number, root: Node): { token: AddedToken; length: number } | undefined {
  let found: { token: AddedToken; length: number } | undefined;
  let node: Node | undefined = root;
  for (let i = start; i <= text.length; i++) {
    if (node.token !== undefined) found = { token: node.token, length: i - start };
    node = node.next.get(text[i]);
    if (node === undefined) break;
  }
  return found;
}

function standsAlone(text: string, start: number, end: number): boolean {
  // Two units of UTF-16 are enough for the character next to it.
  return !WORD_BEFORE.test(text.slice(Math.max(0, start - 2), start)) && !WORD_AFTER.test(text.slice(end, end + 2));
}

/** Where the blanks before `start` begin, at `least` or later. */
function blanksBefore(text: string, start: number, least: number): number {
  let at = start;
  while (at > 0 && BLANK.test(text[at - 1])) at -= 1;
  return Math.max(at, least);
}

function blanksAfter(text: string, end: number): number {
  let at = end;
  while (at < text.length && BLANK.test(text[at])) at += 1;
  return at;
}
