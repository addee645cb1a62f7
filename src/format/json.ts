/** JSON as Coppice writes and reads it: non-finite numbers are the strings "Infinity", "-Infinity" and "NaN". */

/** Numbers that JSON has no notation for. */
export const NUMBER_NAMES = ['Infinity', '-Infinity', 'NaN'] as const;

/** A number, or its name when JSON has no notation for it. */
export type JsonNumber = number | (typeof NUMBER_NAMES)[number];

/** Serialises `value`; non-finite numbers become strings at any depth. */
export function stringifyJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_key, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v),
    indent,
  );
}

/** Reads what `stringifyJson` wrote for a number; undefined when it is no number. */
export function parseJsonNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return NUMBER_NAMES.some((name) => name === value) ? Number(value) : undefined;
}

/** The same for what is known to be a number or nothing; NaN for nothing. */
export const numeric = (value: JsonNumber | null | undefined): number => parseJsonNumber(value) ?? NaN;

/** Reads what `stringifyJson` wrote. A text that names such a number becomes one too. */
export const parseNumbers = (text: string): unknown =>
  JSON.parse(text, (_key, value: unknown) => parseJsonNumber(value) ?? value);

/** An object of JSON; what its fields hold is still to be looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object that a text is in JSON; undefined for anything else. */
export function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
