/** References in a recipe's texts: which there are, and values in their place. Pure. */
import { isObject } from '../format/json';
import { type Json, REFERENCE } from './recipe';

/** In a text that stands for the result of another step while a key is made. No path and no option has this character. */
export const TOKEN = '\0';

/** What a reference names. */
export type Reference =
  | { readonly kind: 'variable'; readonly name: string }
  /** The fields of the step's result, or of its files; empty for its main file. */
  | { readonly kind: 'step'; readonly step: string; readonly fields: readonly string[] };

/** @param text between the braces */
export function parseReference(text: string): Reference {
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

/**
 * The value with every reference replaced. A text that is one reference and nothing else becomes the value itself, a
 * number or a list for example. `$${` stands for `${`.
 * @param valueOf the value of a reference; may throw
 */
export function substitute(value: unknown, valueOf: (reference: Reference) => Json): Json {
  if (typeof value === 'string') return substituteText(value, valueOf);
  if (Array.isArray(value)) return value.map((item) => substitute(item, valueOf));
  if (!isObject(value)) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, substitute(each, valueOf)]));
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
