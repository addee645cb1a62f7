/** Reads results of a record, which another version may have written. Unexpected values are left out. */
import { isObject, type JsonNumber, type JsonObject, parseJsonNumber } from '../../format/json';

export const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A finite number, else null. */
export function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A number in a record: a JSON number, or the name of a number that JSON cannot write. */
export function jsonNumber(value: unknown): JsonNumber | undefined {
  return parseJsonNumber(value) === undefined ? undefined : (value as JsonNumber);
}

export const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

export const entries = (value: unknown): readonly (number | string)[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'number' || typeof each === 'string') : [];
