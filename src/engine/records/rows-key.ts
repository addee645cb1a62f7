/**
 * A key for the rows that a perplexity was measured on. Perplexities of two runs are comparable only if the keys are
 * equal: texts of the same name, or other rows of one text, give other numbers. Undefined when a record does not tell.
 */
import { isObject, type JsonObject } from '../../format/json';
import { finite, text } from './fields';
import type { RunInput } from './record';

/** The key of rows that were drawn from a calibration text. */
export function calibrationKey(calibration: unknown): string | undefined {
  if (!isObject(calibration)) return undefined;
  const { sha256, samples, length, seed } = calibration;
  return keyOf(sha256, samples, length, 'seed', seed);
}

/** The key of the rows of a curve. */
export function curveKey({ text: measured }: JsonObject, settings: JsonObject): string | undefined {
  if (!isObject(measured)) return undefined;
  const { sha256, rows, length } = measured;
  if (settings.rows === 'calibration') return keyOf(sha256, rows, length, 'seed', settings.seed);
  return keyOf(sha256, rows, length, 'bos', settings.bos);
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
  const hash = (role: string): string | undefined => inputs.find((input) => input.role === role)?.sha256;
  const windows = finite(results.windows);
  if (settings.rows !== 'calibration') return keyOf(hash('text'), windows, settings.window, 'bos', settings.bos);
  // Rows of ids in a file have their own lengths. The number of scored tokens tells it: all except the first of each row.
  const length = windows === null ? null : (finite(results.tokens) ?? NaN) / windows + 1;
  return keyOf(hash('calibration'), windows, length, 'seed', settings.seed);
}

/** How the calibration rows of a key were drawn, and from which text; undefined for other rows. */
export function drawnRows(
  key: string,
): { readonly sha256: string; readonly samples: number; readonly length: number; readonly seed: number } | undefined {
  const found = /^([\da-f]{64}) (\d+)×(\d+) seed (\d+)$/.exec(key);
  if (!found) return undefined;
  const [samples, length, seed] = found.slice(2).map(Number);
  return { sha256: found[1], samples, length, seed };
}

function keyOf(sha256: unknown, rows: unknown, length: unknown, how: string, value: unknown): string | undefined {
  if (text(sha256) === undefined || finite(rows) === null || finite(length) === null) return undefined;
  if (finite(value) === null && text(value) === undefined) return undefined;
  return `${String(sha256)} ${String(rows)}×${String(length)} ${how} ${String(value)}`;
}
