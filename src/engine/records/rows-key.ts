/**
 * A key for the rows that a perplexity was measured on. Perplexities of two runs are comparable only if the keys are
 * equal: texts of the same name, or other rows of one text, give other numbers. Undefined when a record does not tell.
 */
import { isObject, type JsonObject } from '../../format/json';
import { type ReadText, readShare, withShare } from '../../format/text-share';
import type { BosChoice, BosMode } from '../../format/bos';
import type { RunDigest } from './digest-types';
import { finite, text } from './fields';
import type { RunInput } from './record';

/** The key of rows that were drawn from a calibration text. */
export function calibrationKey(calibration: unknown): string | undefined {
  if (!isObject(calibration)) return undefined;
  const { sha256, samples, length, seed, share } = calibration;
  return drawnKey(keyOf({ sha256, share }, samples, length, 'seed', seed), calibration);
}

/** The key of the rows of a curve. */
export function curveKey(
  { text: measured }: JsonObject,
  settings: JsonObject,
  inputs: readonly RunInput[] = [],
): string | undefined {
  if (!isObject(measured)) return undefined;
  const { sha256, rows, length } = measured;
  // The text that is measured on comes first.
  const of = { sha256, share: inputs.find((input) => input.sha256 === sha256)?.share };
  if (settings.rows === 'calibration') return drawnKey(keyOf(of, rows, length, 'seed', settings.seed), settings);
  // A window, as in an evaluation: with BOS before each, rows are longer by it.
  return keyOf(of, rows, finite(settings.window) ?? length, 'bos', settings.bos);
}

/**
 * The key of the rows of an evaluation.
 * @param settings of the run; if it measured several models, those of this one
 */
export function evaluationKey(
  results: JsonObject,
  settings: JsonObject,
  inputs: readonly RunInput[],
): string | undefined {
  const read = (role: string): Partial<ReadText> => inputs.find((input) => input.role === role) ?? {};
  const windows = finite(results.windows);
  if (settings.rows !== 'calibration') return keyOf(read('text'), windows, settings.window, 'bos', settings.bos);
  // Rows of ids in a file have their own lengths. The number of scored tokens tells it: all except the first of each row.
  const length = windows === null ? null : (finite(results.tokens) ?? NaN) / windows + 1;
  return drawnKey(keyOf(read('calibration'), windows, length, 'seed', settings.seed), settings);
}

/** How the calibration rows of a key were drawn, and from which text; undefined for other rows. */
export function drawnRows(key: string): DrawnRows | undefined {
  const found = /^([\da-f]{64})(?: ([a-z]+))? (\d+)×(\d+) seed (\d+)(?: (usual)|(?: bos (window|none)))?$/.exec(key);
  if (!found) return undefined;
  const [samples, length, seed] = found.slice(3, 6).map(Number);
  return {
    sha256: found[1],
    ...withShare(readShare(found[2])),
    samples,
    length,
    seed,
    bos: found[6] === undefined ? ((found[7] as BosMode | undefined) ?? 'stream') : 'auto',
  };
}

/** How calibration rows were drawn. */
export interface DrawnRows extends ReadText {
  readonly samples: number;
  readonly length: number;
  readonly seed: number;
  readonly bos: BosChoice;
}

/**
 * Rows that begin as `auto` has it have a key that needs no tokenizer. Records that do not say how rows begin are from before
 * there was a choice: the tokenizer decided, as with `stream`.
 */
function drawnKey(key: string | undefined, { bos, usualBos }: JsonObject): string | undefined {
  if (key === undefined) return undefined;
  if (usualBos === true) return `${key} usual`;
  return bos === 'window' || bos === 'none' ? `${key} bos ${bos}` : key;
}

/**
 * The key of the text that was read: models with other vocabularies make other numbers of windows of all of it.
 * @param rowsKey of windows, or of rows that were drawn
 */
export function readKey(rowsKey: string, { settings }: Pick<RunDigest, 'settings'>): string {
  if (!rowsKey.includes(' bos ') || rowsKey.includes(' seed ')) return rowsKey;
  const limit = settings.find(([name]) => name === 'limit')?.[1] ?? 'all';
  return rowsKey.replace(/ \d+×/, ` ${limit}×`);
}

/** The text of a key; undefined for one of another form. */
export function textOfKey(key: string): ReadText | undefined {
  const found = /^([\da-f]{64})(?: ([a-z]+))? /.exec(key);
  return found ? { sha256: found[1], ...withShare(readShare(found[2])) } : undefined;
}

function keyOf(
  { sha256, share }: { readonly sha256?: unknown; readonly share?: unknown },
  rows: unknown,
  length: unknown,
  how: string,
  value: unknown,
): string | undefined {
  if (text(sha256) === undefined || finite(rows) === null || finite(length) === null) return undefined;
  if (finite(value) === null && text(value) === undefined) return undefined;
  const part = readShare(share) === undefined ? '' : ` ${String(share)}`;
  return `${String(sha256)}${part} ${String(rows)}×${String(length)} ${how} ${String(value)}`;
}
