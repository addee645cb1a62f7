/**
 * What a smaller vocabulary does to texts that were not counted: which pieces have the same tokens as before, how much longer the others
 * become, and which words suffer.
 */
import { sameIds } from '../same-ids';
import { throwIfCancelled } from '../errors';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { BATCH } from './counts';

export interface HeldOut {
  readonly pieces: number;
  /** Pieces whose tokens all stay. */
  readonly covered: number;
  /** Those of them that have the same tokens, one to one: all, unless something is wrong. */
  readonly equal: number;
  readonly tokens: number;
  readonly newTokens: number;
  /** Tokens of the original that stay, as a share of all. */
  readonly coverage: number;
  /** New tokens over tokens. */
  readonly growth: number;
  /** Unknown tokens that were none before: 0, unless something is wrong. */
  readonly unknown: number;
  /** Pieces that the new tokens decode to other text: 0, unless something is wrong. */
  readonly changed: number;
  /** Ids of all pieces, as the original numbers them. */
  readonly before: readonly (readonly number[])[];
  /** The same of the new tokens. */
  readonly after: readonly (readonly number[])[];
}

/** A vocabulary and its smaller form. */
export interface Pair {
  readonly original: Tokenizer;
  readonly trimmed: Tokenizer;
  /** Ids of the original, ascending. */
  readonly kept: readonly number[];
  /** Id of the unknown token, as the original numbers it. */
  readonly unknown: number | undefined;
}

const PLAIN = { addSpecialTokens: false };
const WITH_SPECIALS = { skipSpecialTokens: false };

/** @throws UserError if a tokenizer fails; CancelledError */
export async function heldOut(pair: Pair, pieces: readonly string[], signal?: AbortSignal): Promise<HeldOut> {
  const { original, trimmed, kept, unknown } = pair;
  const stays = new Set(kept);
  const before: (readonly number[])[] = [];
  const after: (readonly number[])[] = [];
  let [covered, equal, tokensKept, changed] = [0, 0, 0, 0];
  for (let at = 0; at < pieces.length; at += BATCH) {
    throwIfCancelled(signal);
    const some = pieces.slice(at, at + BATCH);
    const old = await original.encodeEach(some, PLAIN);
    const now = (await trimmed.encodeEach(some, PLAIN)).map((ids) => ids.map((id) => kept[id]));
    for (const [i, ids] of old.entries()) {
      const staying = ids.filter((id) => stays.has(id)).length;
      tokensKept += staying;
      if (staying === ids.length) {
        covered++;
        if (sameIds(ids, now[i])) equal++;
        continue;
      }
      const [text, other] = [await original.decode(ids, WITH_SPECIALS), await original.decode(now[i], WITH_SPECIALS)];
      if (text !== other) changed++;
    }
    before.push(...old);
    after.push(...now);
  }
  const count = (lists: readonly (readonly number[])[]): number => lists.reduce((sum, { length }) => sum + length, 0);
  const unknowns = (lists: readonly (readonly number[])[]): number =>
    lists.reduce((sum, ids) => sum + ids.filter((id) => id === unknown).length, 0);
  const [tokens, newTokens] = [count(before), count(after)];
  return {
    ...{ pieces: pieces.length, covered, equal, tokens, newTokens, changed, before, after },
    coverage: tokens === 0 ? 1 : tokensKept / tokens,
    growth: tokens === 0 ? 1 : newTokens / tokens,
    unknown: unknown === undefined ? 0 : unknowns(after) - unknowns(before),
  };
}

/** A word that has more tokens now. */
export interface Suffering {
  readonly text: string;
  readonly before: number;
  readonly after: number;
  /** How often the texts have it. */
  readonly count: number;
}

/** Words of the pieces that are looked at, the most frequent ones first. */
const WORDS = 2000;

/** The words that get the most tokens more, counted as often as they occur. @param most of them */
export async function sufferers(
  pair: Pair,
  pieces: readonly string[],
  heldOutPieces: HeldOut,
  most = 20,
): Promise<Suffering[]> {
  const stays = new Set(pair.kept);
  const counts = new Map<string, number>();
  for (const [i, piece] of pieces.entries()) {
    if (heldOutPieces.before[i].every((id) => stays.has(id))) continue;
    for (const [word] of piece.matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const words = [...counts].sort((a, b) => b[1] - a[1]).slice(0, WORDS);
  // As most words stand in a text: after a blank.
  const texts = words.map(([word]) => ` ${word}`);
  const [before, after] = [await pair.original.encodeEach(texts, PLAIN), await pair.trimmed.encodeEach(texts, PLAIN)];
  return words
    .map(([text, count], i) => ({ text, count, before: before[i].length, after: after[i].length }))
    .filter((word) => word.after > word.before)
    .sort((a, b) => b.count * (b.after - b.before) - a.count * (a.after - a.before))
    .slice(0, most);
}

/** Letters with marks, digits, and what joins them. */
const WORD = /[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}'’-]*[\p{L}\p{M}\p{N}])?/gu;
