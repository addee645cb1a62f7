/**
 * Results of jobs as data: each field with its kind, words, unit and direction. Types, JSON Schema, the reading of records, and
 * the checks of recipes are derived from it. Pure: it imports nothing at run time.
 */
import type { ProbeName } from '../format/probes';
import type { JsonNumber } from '../format/json';

/** The valid values of a field, as data. */
export type FieldKind =
  /** A finite number. */
  | { readonly kind: 'number' }
  /** A number that may be infinite or none; JSON has its name then. */
  | { readonly kind: 'real' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'text'; readonly choices?: readonly string[] }
  | { readonly kind: 'flag' }
  /** A block by its number, or a module by its name. */
  | { readonly kind: 'part' }
  | { readonly kind: 'shape'; readonly fields: Fields }
  /** With a length, a place in it has a meaning. */
  | { readonly kind: 'list'; readonly of: Field; readonly length?: number }
  | { readonly kind: 'either'; readonly of: readonly Field[] };

/** The limits of recipes that judge a field of a result. */
export type GateName =
  'maxPpl' | 'maxKl' | 'minSame' | 'maxRepetition' | 'minAccuracy' | 'maxProbeLoss' | `maxProbeLoss.${ProbeName}`;

/** How a limit judges a field. */
export interface Gate {
  readonly limit: GateName;
  /** The option without which there is no such number. */
  readonly needs?: string;
  /** Which value counts if there are several. */
  readonly of?: 'worst' | 'last';
}

/** Details of a field besides its kind. */
export interface Details {
  /** "nats", "bytes", "s". */
  readonly unit?: string;
  readonly better?: 'less' | 'more';
  readonly gate?: Gate;
}

/** A field of a result. The type parameters are those of its value, and whether it is always there. */
export interface Field<T = unknown, P extends boolean = boolean> extends Details {
  readonly kind: FieldKind;
  readonly words: string;
  readonly nullable?: true;
  readonly optional?: true;
  /** For the type system only; never set. */
  readonly value?: T;
  readonly present?: P;
}

export type Fields = Readonly<Record<string, Field>>;

export type ValueOf<F> = F extends Field<infer T> ? T : never;

type Names<F extends Fields, P extends boolean> = {
  [N in keyof F]: F[N] extends Field<unknown, infer Q> ? (Q extends P ? N : never) : never;
}[keyof F];
type Flat<T> = { readonly [N in keyof T]: T[N] };

/** The object that has these fields. */
export type Shaped<F extends Fields> = Flat<
  { readonly [N in Names<F, true>]: ValueOf<F[N]> } & { readonly [N in Names<F, false>]?: ValueOf<F[N]> }
>;

const make = <T>(kind: FieldKind, words: string, details?: Details): Field<T, true> => ({ ...details, kind, words });

export const number = (words: string, details?: Details): Field<number, true> =>
  make({ kind: 'number' }, words, details);

/** @template T `number` where programs of the same process calculate with it */
export const real = <T extends JsonNumber = JsonNumber>(words: string, details?: Details): Field<T, true> =>
  make({ kind: 'real' }, words, details);

export const whole = (words: string, details?: Details): Field<number, true> => make({ kind: 'whole' }, words, details);

export const seconds = (words: string): Field<number, true> => number(words, { unit: 's', better: 'less' });

export const text = (words: string): Field<string, true> => make({ kind: 'text' }, words);

export const oneOf = <const C extends readonly string[]>(choices: C, words: string): Field<C[number], true> =>
  make({ kind: 'text', choices }, words);

export const flag = (words: string): Field<boolean, true> => make({ kind: 'flag' }, words);

export const part = (words: string): Field<number | string, true> => make({ kind: 'part' }, words);

export const shape = <F extends Fields>(fields: F, words: string, details?: Details): Field<Shaped<F>, true> =>
  make({ kind: 'shape', fields }, words, details);

export const list = <T>(of: Field<T>, words: string, details?: Details): Field<readonly T[], true> =>
  make({ kind: 'list', of }, words, details);

export const numbers = (words: string): Field<readonly number[], true> => list(number('a number'), words);

/** Two values, each with its own meaning. */
export const pair = <T>(of: Field<T>, words: string): Field<readonly [T, T], true> =>
  make({ kind: 'list', of, length: 2 }, words);

export const either = <T, U>(one: Field<T>, other: Field<U>, words: string): Field<T | U, true> =>
  make({ kind: 'either', of: [one, other] }, words);

/** A field that may be absent. */
export const optional = <T>(field: Field<T>): Field<T, false> => ({ ...field, optional: true }) as Field<T, false>;

/** A field that may be null. */
export const nullable = <T>(field: Field<T>): Field<T | null, true> =>
  ({ ...field, nullable: true }) as Field<T | null, true>;
