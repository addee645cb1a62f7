/**
 * Reads the result of a job from a record, which another version may have written: what has not the kind of its field is
 * left out, so that every field may be missing.
 */
import { isObject, parseJsonNumber } from '../format/json';
import { JOBS } from './definitions';
import type { Kind, ResultFor } from './kinds';
import type { Field } from './result';

type Names<T> = T extends unknown ? keyof T : never;
type At<T, N> = T extends unknown ? (N extends keyof T ? T[N] : never) : never;
type Lists<T> = Extract<T, readonly unknown[]>;
type Objects<T> = Exclude<Extract<T, object>, readonly unknown[]>;

/** A value as it is read. Of several shapes, one with the fields of all. */
export type Read<T> =
  | Exclude<T, object>
  | ([Lists<T>] extends [never] ? never : readonly Exclude<Read<Lists<T>[number]>, undefined>[])
  | ([Objects<T>] extends [never] ? never : { readonly [N in Names<Objects<T>>]?: Read<At<Objects<T>, N>> });

export function readResult<K extends Kind>(kind: K, value: unknown): Read<ResultFor<K>>;
export function readResult(kind: Kind, value: unknown): unknown {
  return readField(JOBS[kind].result, value) ?? {};
}

/** Undefined if the value is not of the field's kind. */
export function readAs<T>(field: Field<T>, value: unknown): Read<T> | undefined;
export function readAs(field: Field, value: unknown): unknown {
  return readField(field, value);
}

function readField({ kind, nullable }: Field, value: unknown): unknown {
  if (value === null) return nullable ? null : undefined;
  switch (kind.kind) {
    case 'number':
    case 'whole':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    case 'real':
      return parseJsonNumber(value) === undefined ? undefined : value;
    case 'text':
      return typeof value === 'string' ? value : undefined;
    case 'flag':
      return typeof value === 'boolean' ? value : undefined;
    case 'part':
      return typeof value === 'number' || typeof value === 'string' ? value : undefined;
    case 'list': {
      if (!Array.isArray(value)) return undefined;
      const items = value.map((item) => readField(kind.of, item)).filter((item) => item !== undefined);
      return kind.length === undefined || kind.length === items.length ? items : undefined;
    }
    case 'shape': {
      if (!isObject(value)) return undefined;
      const read = Object.entries(kind.fields).map(([name, field]) => [name, readField(field, value[name])] as const);
      return Object.fromEntries(read.filter(([, each]) => each !== undefined));
    }
    case 'either': {
      const read = kind.of.map((each) => readField(each, value)).filter((each) => each !== undefined);
      return read.every(isObject) && read.length > 0 ? (Object.assign({}, ...read) as object) : read[0];
    }
  }
}
