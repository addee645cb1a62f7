/** Converts values of options to text and back, for the command line and "Copy as CLI Command". */
import { UserError } from '../engine/errors';
import type { WrittenKind } from '../engine/option-token';
import { parseParameterCount } from '../engine/importance/count';
import { parseBlockList } from '../engine/checkpoint/block-list';
import { wholeBlocks } from '../engine/importance/select';
import { parseRemoved, removedJson } from '../engine/model/view';
import { isObject } from '../format/json';
import type { LabelledModel, ValueKind } from './option';

/** The text is not a value of the option. The message is a sentence about valid values. */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
}

/** More blocks than any model has, because lists are parsed before the model is known. */
const MAX_BLOCKS = 1000;

/** @param named the option in messages @throws InvalidValue, whose cause is the `UserError`, if any */
export function parseValue(kind: ValueKind, text: string, named = 'It'): unknown {
  switch (kind.kind) {
    case 'text':
    case 'path':
      return text;
    case 'flag':
      return text !== 'false';
    case 'whole':
      return parseWhole(text, kind.min, kind.max, kind.why);
    case 'number':
      return kind.words?.includes(text) ? text : parseNumber(text, kind);
    case 'choice':
      if (!kind.choices.includes(text)) throw new InvalidValue(`Allowed choices are ${kind.choices.join(', ')}.`);
      return text;
    case 'blocks':
      return parseBlocks(text, named);
    case 'parts':
      return parseParts(text);
    case 'bytes':
      return parseBytes(text);
    case 'parameters':
      return asInvalid(() => parseParameterCount(text, named));
    case 'list':
      return parseList(kind, text);
    case 'models':
      return parseModel(text);
    case 'data':
      throw new InvalidValue('It cannot be written as text.');
  }
}

/** The text that `parseValue` converts to `value`. */
export function formatValue(kind: ValueKind, value: unknown): string {
  return Array.isArray(value) ? value.map((item) => formatValue(kind, item)).join(',') : String(value);
}

const WRITTEN: Readonly<Record<WrittenKind, ValueKind>> = {
  blocks: { kind: 'blocks' },
  parts: { kind: 'parts' },
  bytes: { kind: 'bytes' },
  parameters: { kind: 'parameters' },
  numbers: { kind: 'list', of: { kind: 'number' } },
};

/** A value in a text, which has it as the command line does, as JSON: "10,12-14" → "[10, 12, 13, 14]". */
export const writtenAsJson = (kind: WrittenKind, text: string): string =>
  JSON.stringify(parseValue(WRITTEN[kind], text)).replaceAll(',', ', ');

/** A whole number from `min` to `max`. @throws InvalidValue */
export function parseWhole(text: string, min = 1, max?: number, why?: string): number {
  const value = digits(text);
  if (value === undefined || value < min || value > (max ?? Infinity)) {
    throw new InvalidValue(`It must be a whole number ${rangeWords(min, max)}${why === undefined ? '' : `: ${why}`}.`);
  }
  return value;
}

const rangeWords = (min: number, max: number | undefined): string =>
  max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;

type NumberKind = Extract<ValueKind, { kind: 'number' }>;

const NUMBER = /^\d*\.?\d+(e[+-]?\d+)?$/i;

/** @throws InvalidValue */
export function parseNumber(text: string, range: Omit<NumberKind, 'kind'>): number {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (!isWithin(value, range)) throw new InvalidValue(`It must be ${numberWords(range)}.`);
  return value;
}

/** Whether a number is finite and in the range. */
export function isWithin(
  value: number,
  { above = -Infinity, min = -Infinity, below = Infinity, max = Infinity }: Omit<NumberKind, 'kind'>,
): boolean {
  return Number.isFinite(value) && value > above && value >= min && value < below && value <= max;
}

/** "above 0 and at most 1". */
export function numberWords({ words = [], ...range }: Omit<NumberKind, 'kind'>): string {
  return [rangeOf(range), ...words].join(', or ');
}

function rangeOf({ above, min, below, max }: Omit<NumberKind, 'kind' | 'words'>): string {
  const bounds = [
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(min === undefined ? [] : [`at least ${min}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
    ...(max === undefined ? [] : [`at most ${max}`]),
  ];
  if (bounds.length > 1) return bounds.join(' and ');
  return min === undefined ? `a number ${bounds[0]}` : `a number of ${bounds[0]}`;
}

/**
 * Modules are parsed too. Both modules of a block mean the block. For a single one, the message says why that is not
 * possible.
 */
function parseBlocks(text: string, named: string): number[] {
  const modules = /\.(attention|ffn)\b/.test(text);
  return asInvalid(() =>
    modules ? wholeBlocks(parseRemoved(text, MAX_BLOCKS)) : parseBlockList(text, MAX_BLOCKS, named),
  );
}

function parseParts(text: string): (number | string)[] {
  return removedJson(asInvalid(() => parseRemoved(text, MAX_BLOCKS)));
}

function parseList({ of, length, expected }: Extract<ValueKind, { kind: 'list' }>, text: string): unknown[] {
  try {
    const values = text.split(',').map((item) => parseValue(of, item.trim()));
    if (length === undefined || values.length === length) return values;
    throw new InvalidValue(`It must be ${length} values separated by commas.`);
  } catch (error) {
    if (!(error instanceof InvalidValue) || expected === undefined) throw error;
    throw new InvalidValue(`It must be ${expected}.`, { cause: error });
  }
}

const MODEL_TEXTS = ['label', 'checkpoint', 'width', 'heal', 'adapter'] as const;

/** One of several models, as JSON. The job checks what is removed. @throws InvalidValue */
function parseModel(text: string): LabelledModel {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidValue('It must be a model as JSON, such as {"label": "shorter", "checkpoint": "./model"}.', {
      cause: error,
    });
  }
  if (!isObject(value)) throw new InvalidValue('It must be a JSON object.');
  const { remove, otherBase, ...texts } = value;
  const unknown = Object.keys(texts).find((name) => !MODEL_TEXTS.some((each) => each === name));
  if (unknown !== undefined) throw new InvalidValue(`A model has no field "${unknown}".`);
  const wrong = Object.keys(texts).find((name) => typeof texts[name] !== 'string');
  if (wrong !== undefined) throw new InvalidValue(`The field "${wrong}" must be a text.`);
  const missing = ['label', 'checkpoint'].find((name) => !(name in texts));
  if (missing !== undefined) throw new InvalidValue(`The field "${missing}" is missing.`);
  if (otherBase !== undefined && typeof otherBase !== 'boolean') {
    throw new InvalidValue('The field "otherBase" must be true or false.');
  }
  if (remove !== undefined && !Array.isArray(remove)) throw new InvalidValue('The field "remove" must be a list.');
  return {
    ...(texts as unknown as LabelledModel),
    ...(remove !== undefined && { remove: parseParts(remove.join(',')) }),
    ...(otherBase !== undefined && { otherBase }),
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const BINARY_UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
export const MIN_BYTES = 1e6;

/** "2GB" (10⁹), "800MiB" (2²⁰), "1.5g", or bytes → bytes, at least 1 MB. @throws InvalidValue */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text.trim());
  const unit = match?.[2].toLowerCase() ?? '';
  const factor = match?.[3] ? BINARY_UNITS[unit] : UNITS[unit];
  const bytes = Math.floor(Number(match?.[1]) * factor);
  if (!match || !Number.isSafeInteger(bytes)) {
    throw new InvalidValue('It must be a size such as 2GB, 800MiB or 500000000.');
  }
  if (bytes < MIN_BYTES) throw new InvalidValue('It must be at least 1MB.');
  return bytes;
}

function digits(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The message of an engine parser, as a sentence about the value. */
function asInvalid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { why, action } = error;
    throw new InvalidValue(`${why.charAt(0).toUpperCase()}${why.slice(1)}. ${action}`, { cause: error });
  }
}
