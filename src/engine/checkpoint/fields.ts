/** Typed access to the fields of a `config.json`: errors about a wrong type or an impossible number name the field. */
import { UserError } from '../errors';
import { isObject } from '../../format/json';
import { printable } from '../formats/bounded-json';

export type Config = Readonly<Record<string, unknown>>;

/** Null and absent have the same meaning in a config: the library's default. */
export function isSet(config: Config, field: string): boolean {
  return config[field] !== undefined && config[field] !== null;
}

/** A whole number from 1 to `most`. Without `fallback` the field is required. */
export function count(config: Config, field: string, most: number, fallback?: number): number {
  if (!isSet(config, field) && fallback !== undefined) return fallback;
  const value = config[field];
  if (value === undefined) throw badField(field, 'it is missing', 'Get the complete config.json of the model.');
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > most) {
    throw badField(field, `${show(value)} is not a whole number from 1 to ${most}`);
  }
  return value;
}

/** A finite number above 0. */
export function positive(config: Config, field: string, fallback?: number): number {
  return finite(config, field, fallback, (value) => value > 0, 'a number above 0');
}

/** A finite number above 0 of a field that may be absent, but not null. */
export const positiveOr = (config: Config, field: string, usual: number): number =>
  config[field] === undefined ? usual : positive(config, field);

/** A whole number from 1 to `most` of a field that may be absent, but not null. */
export const countOr = (config: Config, field: string, most: number, usual: number): number =>
  config[field] === undefined ? usual : count(config, field, most);

/** A finite number of 0 or more. */
export function atLeastZero(config: Config, field: string, fallback?: number): number {
  return finite(config, field, fallback, (value) => value >= 0, 'a number of at least 0');
}

function finite(
  config: Config,
  field: string,
  fallback: number | undefined,
  fits: (value: number) => boolean,
  wanted: string,
): number {
  if (!isSet(config, field) && fallback !== undefined) return fallback;
  const value = config[field];
  if (typeof value !== 'number' || !Number.isFinite(value) || !fits(value)) {
    throw badField(field, value === undefined ? 'it is missing' : `${show(value)} is not ${wanted}`);
  }
  return value;
}

export function flag(config: Config, field: string, fallback: boolean): boolean {
  if (!isSet(config, field)) return fallback;
  const value = config[field];
  if (typeof value !== 'boolean') throw badField(field, `${show(value)} is neither true nor false`);
  return value;
}

export function word(config: Config, field: string): string | undefined {
  if (!isSet(config, field)) return undefined;
  const value = config[field];
  if (typeof value !== 'string') throw badField(field, `${show(value)} is not a text`);
  return value;
}

/** A nested object, or undefined. */
export function section(config: Config, field: string): Config | undefined {
  if (!isSet(config, field)) return undefined;
  const value = config[field];
  if (!isObject(value)) throw badField(field, `${show(value)} is not an object`);
  return value;
}

/** Token ids given as one number or as a list; empty if the field is absent. Messages name `file`. */
export function tokenIds(config: Config, field: string, file = 'config.json'): number[] {
  if (!isSet(config, field)) return [];
  const value = config[field];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  for (const id of ids) {
    // Converters write −1 for "none". Skipping negative numbers loses no possible id.
    if (typeof id !== 'number' || !Number.isSafeInteger(id)) {
      throw badField(field, `${show(id)} is not a token id`, undefined, file);
    }
  }
  return (ids as number[]).filter((id) => id >= 0);
}

export function badField(
  field: string,
  why: string,
  action = 'Correct the field or get the original file.',
  file = 'config.json',
): UserError {
  return new UserError(`${file}: ${field} is not valid`, why, action);
}

/** A value in the form of a message. */
export function show(value: unknown): string {
  return printable(JSON.stringify(value) ?? 'undefined', 60);
}
