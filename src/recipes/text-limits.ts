/** Limits of a recipe's text, so that a hostile file costs no more time than an ordinary one. Pure. */

/** A recipe has nine levels. The parser calls itself for each, so a hostile file could exhaust the stack. */
const MAX_DEPTH = 64;
/** The recipes of the paper have some thousands. */
const MAX_VALUES = 20_000;
/** Steps that wait for each other are followed one inside the other. */
export const MAX_STEPS = 500;

/** Strings and comments as wholes, also unfinished ones, brackets and commas. */
const TOKENS = /"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|\/\/[^\n]*|\/\*(?:[\s\S]*?\*\/|[\s\S]*$)|[{}[\],]/g;

/** Why a text is not read; undefined for one that may be. */
export function whyRefused(text: string): { readonly why: string; readonly action: string } | undefined {
  let depth = 0;
  let values = 0;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    if (token === '{' || token === '[' || token === ',') values++;
    if (depth > MAX_DEPTH) return { why: `it is nested deeper than ${MAX_DEPTH} levels`, action: 'Make it flatter.' };
    if (values > MAX_VALUES) return { why: `it has more than ${MAX_VALUES} values`, action: 'Cut it into several.' };
  }
  return undefined;
}

/** Lines of places in a text, from 1. */
export function lineTable(text: string): (offset: number) => number {
  const ends: number[] = [];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) ends.push(at);
  return (offset) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

const MOST_NAMES = 30;

/** Names in a message: not all of a thousand. */
export const someNames = (names: readonly string[]): string =>
  names.length > MOST_NAMES ? `${names.slice(0, MOST_NAMES).join(', ')} and others` : names.join(', ');
