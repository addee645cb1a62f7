/**
 * The rule by which tokens stay in a smaller vocabulary: the alphabet, special tokens, what texts use, and for each of these the tokens
 * on the way to it. Then every text whose tokens all stay is encoded as before, and any other text still can be.
 *
 * Why: byte pair encoding applies the pair of lowest rank, again and again. Inside a token of the result no merge crosses its edges, so
 * the merges inside it are those of its own string. If all of them stay, the run meets the same pairs in the same order, and pairs that
 * it never applied cannot change it by being gone.
 */
import { UserError } from '../errors';
import type { Tokens } from './tokens';

/** No language has longer words, and the way to such a token would take long. */
export const TOKEN_CAP = 4096;

/** The ways to tokens. */
export class Paths {
  private readonly ranks = new Map<string, number>();
  private readonly known = new Map<string, readonly number[] | undefined>();

  constructor(private readonly tokens: Tokens) {
    tokens.merges.forEach(([a, b], rank) => {
      const key = keyOf(a, b);
      if (!this.ranks.has(key)) this.ranks.set(key, rank);
    });
  }

  /**
   * The tokens on the way from letters to a token of the model, itself too: those of a run of the merges on its text alone. Empty where
   * the run does not end in it, so that only a look-up makes it, and nothing else is needed.
   * @throws UserError for a token that is too long
   */
  of(text: string): readonly number[] {
    let found = this.known.get(text);
    if (found === undefined) this.known.set(text, (found = this.idsOf(text)));
    return found;
  }

  private idsOf(text: string): readonly number[] {
    const { model, kind } = this.tokens;
    const ids = (texts: Iterable<string>): number[] => [...new Set(texts)].flatMap((each) => model.get(each) ?? []);
    if (kind === 'unigram') return ids(text);
    if (text.length > TOKEN_CAP) {
      throw new UserError(
        'The vocabulary cannot be trimmed',
        `its token ${JSON.stringify(`${text.slice(0, 20)}…`)} has ${text.length} characters, more than ${TOKEN_CAP}`,
        'Leave its vocabulary as it is.',
      );
    }
    const parts = Array.from(text);
    const passed = new Set(parts);
    while (parts.length > 1) {
      let [best, at] = [Infinity, -1];
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = this.ranks.get(keyOf(parts[i], parts[i + 1]));
        if (rank !== undefined && rank < best) [best, at] = [rank, i];
      }
      if (at < 0) return [];
      parts.splice(at, 2, parts[at] + parts[at + 1]);
      passed.add(parts[at]);
    }
    return ids(passed);
  }
}

const keyOf = (a: string, b: string): string => `${a.length} ${a}${b}`;

/** What decides which tokens stay. */
export interface Needs {
  readonly alphabet: readonly number[];
  readonly specials: readonly number[];
  /** Tokens of the chat template's own texts, and of lists that the user gave. */
  readonly named: readonly number[];
  /** How often each token occurs in the texts, by id. */
  readonly counts: ReadonlyMap<number, number>;
  /** A token that occurs less often goes. At least 1. */
  readonly min: number;
  /** The number of tokens is a multiple of this, if there are enough. */
  readonly multiple: number;
}

export interface Kept {
  /** Ascending: a token's new id is its place. */
  readonly ids: readonly number[];
  /** Tokens that stay because they are on the way to others, and that fill up the multiple. */
  readonly closure: number;
  readonly filled: number;
}

/** @throws UserError for a token that is too long */
export function keptTokens(tokens: Tokens, paths: Paths, { counts, min, multiple, ...always }: Needs): Kept {
  const { texts, added, model, kind } = tokens;
  const kept = new Set<number>([...always.alphabet, ...always.specials, ...always.named]);
  for (const [id, count] of counts) if (count >= min) kept.add(id);
  const asked = kept.size;
  for (const id of [...kept]) {
    const text = texts[id];
    if (text !== undefined && !added.has(text)) for (const each of paths.of(text)) kept.add(each);
  }
  const closed = kept.size;
  const count = (id: number): number => counts.get(id) ?? 0;
  if (kept.size % multiple !== 0) {
    // Real tokens: a row of zeros would win wherever all logits are below 0.
    const others = [...model.values()].filter((id) => !kept.has(id)).sort((a, b) => count(b) - count(a) || a - b);
    for (const id of others) {
      if (kept.size % multiple === 0) break;
      const text = texts[id]!;
      const path = added.has(text) ? [] : paths.of(text);
      const isReached = kind === 'unigram' || path.length > 0;
      if (!added.has(text) && isReached && path.every((each) => each === id || kept.has(each))) kept.add(id);
    }
  }
  return { ids: [...kept].sort((a, b) => a - b), closure: closed - asked, filled: kept.size - closed };
}
