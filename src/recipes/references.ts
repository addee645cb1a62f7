/** References in a recipe's texts: which there are, and values in their place. Pure. */
import { UserError } from '../engine/errors';
import { isObject } from '../format/json';
import { type Json, REFERENCE } from './recipe';

/** In a text that stands for the result of another step while a key is made. No path and no option has this character. */
export const TOKEN = '\0';

/** What a reference names. */
export type Reference =
  | { readonly kind: 'variable'; readonly name: string }
  /** The fields of the step's result, or of its files; empty for its main file. */
  | { readonly kind: 'step'; readonly step: string; readonly fields: readonly string[] };

/** A text in which nothing is a reference. */
export const literal = (text: string): string => text.replaceAll('${', () => '$${');

/** @param text between the braces */
function parseReference(text: string): Reference {
  const [head, step, ...fields] = text.trim().split('.');
  if (head === 'steps' && step !== undefined) return { kind: 'step', step, fields };
  return { kind: 'variable', name: text.trim() };
}

/** All references in a value, at any depth, in their order. */
export function referencesIn(value: unknown): Reference[] {
  if (typeof value === 'string') {
    return [...value.matchAll(REFERENCE)].flatMap(([, inside]) =>
      inside === undefined ? [] : [parseReference(inside)],
    );
  }
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  return isObject(value) ? Object.values(value).flatMap(referencesIn) : [];
}

/** Names of the steps that a value names. */
export const stepsIn = (value: unknown): string[] =>
  referencesIn(value).flatMap((each) => (each.kind === 'step' ? [each.step] : []));

/** Characters of a value with all that its references stand for: more than any job reads, and less than memory is hurt by. */
const MAX_LENGTH = 16 * 2 ** 20;

/**
 * The value with every reference replaced. A text that is one reference and nothing else becomes the value itself, a
 * number or a list for example. `$${` stands for `${`.
 * @param valueOf the value of a reference; may throw
 * @throws UserError for a value that becomes too long
 */
export function substitute(value: unknown, valueOf: (reference: Reference) => Json): Json {
  let left = MAX_LENGTH;
  const bounded = (reference: Reference): Json => {
    const found = valueOf(reference);
    left -= typeof found === 'string' ? found.length : (JSON.stringify(found) ?? '').length;
    if (left >= 0) return found;
    throw new UserError(
      'The recipe cannot be used',
      'its references stand for more text than fits',
      'Put long texts into files, and name these.',
    );
  };
  return substituted(value, bounded);
}

function substituted(value: unknown, valueOf: (reference: Reference) => Json): Json {
  if (typeof value === 'string') return substituteText(value, valueOf);
  if (Array.isArray(value)) return value.map((item) => substituted(item, valueOf));
  if (!isObject(value)) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, substituted(each, valueOf)]));
}

function substituteText(text: string, valueOf: (reference: Reference) => Json): Json {
  const [, whole] = /^\$\{([^{}]*)\}$/.exec(text) ?? [];
  if (whole !== undefined) return valueOf(parseReference(whole));
  return text.replace(REFERENCE, (_match, inside: string | undefined) => {
    if (inside === undefined) return '${';
    const value = valueOf(parseReference(inside));
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}
