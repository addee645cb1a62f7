/**
 * Records of a task's file: JSON lines, a JSON array, or the answer of the Hugging Face datasets server
 * (`{"rows": [{"row_idx", "row", "truncated_cells"}]}`). Fields are read with errors that name file, record and field.
 */
import { extname } from 'node:path';
import { isObject, type JsonObject } from '../../../format/json';
import { messageOf, UserError } from '../../errors';
import { printable } from '../../formats/bounded-json';

/** Extensions of files with records; others are no JSON. */
export const RECORD_EXTENSIONS = ['.jsonl', '.json', '.ndjson'] as const;

/** The error for a file that is no data of the task. */
export const badData = (file: string, why: string, action: string, cause?: unknown): UserError =>
  new UserError(`Cannot use ${file} as a task`, why, action, { cause });

const OFFICIAL = 'Take the data set’s own file, or its export from the Hugging Face hub as JSON or JSON lines.';

/** One record. Its methods read fields. */
export class TaskRecord {
  constructor(
    private readonly file: string,
    /** Number of the record in the file, from 0. */
    readonly item: number,
    /** "line 3" or "record 2". */
    private readonly place: string,
    private readonly fields: JsonObject,
  ) {}

  has(field: string): boolean {
    return this.fields[field] !== undefined && this.fields[field] !== null;
  }

  /** The value of a field, for fields of several types. */
  value(field: string): unknown {
    return this.fields[field];
  }

  /** @throws UserError when it is missing or no text */
  text(field: string): string {
    const value = this.fields[field];
    if (typeof value === 'string') return value;
    throw this.bad(field, value === undefined ? 'is missing' : `is ${shown(value)}, not a text`);
  }

  /** A list of at least two texts. @throws UserError */
  texts(field: string, value: unknown = this.fields[field]): readonly string[] {
    if (value === undefined) throw this.bad(field, 'is missing');
    const isList = Array.isArray(value) && value.length > 1 && value.every((each) => typeof each === 'string');
    if (isList) return value;
    throw this.bad(field, `is ${shown(value)}, not a list of two or more texts`);
  }

  /**
   * The first of `fields` that the record has, as a number from 0 to `most`. Numbers may be written as texts.
   * @throws UserError
   */
  label(fields: readonly string[], most: number): number {
    const field = fields.find((each) => this.has(each)) ?? fields[0];
    const value = this.fields[field];
    if (value === undefined || value === null) throw this.bad(field, 'is missing');
    if (value === -1 || value === '-1' || value === '') {
      throw this.bad(
        field,
        'says that the answer is not public',
        'Take the part of the data set that has its answers.',
      );
    }
    if (typeof value === 'boolean' && most === 1) return Number(value);
    const number = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most) return number;
    throw this.bad(field, `is ${shown(value)}, not a number from 0 to ${most}`);
  }

  /** The error for a field of this record. */
  bad(field: string, why: string, action = OFFICIAL): UserError {
    return badData(this.file, `"${field}" in ${this.place} ${why}`, action);
  }
}

const shown = (value: unknown): string => printable(JSON.stringify(value) ?? String(value), 60);

/** The records of `text`, the content of `file`. @throws UserError naming line or record */
export function parseRecords(text: string, file: string): TaskRecord[] {
  const placed = extname(file).toLowerCase() === '.json' ? fromJson(text, file) : fromLines(text, file);
  if (placed.length === 0) throw badData(file, 'it has no records', OFFICIAL);
  return placed.map(({ place, value }, item) => {
    if (isObject(value)) return new TaskRecord(file, item, place, value);
    throw badData(file, `${place} is not a JSON object`, OFFICIAL);
  });
}

interface Placed {
  readonly place: string;
  readonly value: unknown;
}

function fromLines(text: string, file: string): Placed[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const place = `line ${i + 1}`;
    try {
      return [{ place, value: JSON.parse(line) as unknown }];
    } catch (error) {
      const why = `${place} is not JSON (${printable(messageOf(error), 120)})`;
      throw badData(file, why, 'Every line must be one JSON object: get the whole file again.', error);
    }
  });
}

/** A file with the name of JSON that holds lines is read as lines. */
function fromJson(text: string, file: string): Placed[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (isObjectLine(text)) return fromLines(text, file);
    const why = `it is not JSON (${printable(messageOf(error), 120)})`;
    throw badData(file, why, 'Get the whole file again.', error);
  }
  if (Array.isArray(json)) return json.map((value: unknown, i) => ({ place: `record ${i}`, value }));
  if (isObject(json) && Array.isArray(json.rows)) return json.rows.map((row: unknown, i) => fromServer(row, i, file));
  if (isObject(json) && !('rows' in json)) return [{ place: 'record 0', value: json }];
  throw badData(file, 'it is neither a list of records nor {"rows": […]}', OFFICIAL);
}

function isObjectLine(text: string): boolean {
  try {
    return isObject(JSON.parse(text.slice(0, text.indexOf('\n') + 1)));
  } catch {
    return false;
  }
}

function fromServer(row: unknown, i: number, file: string): Placed {
  const place = `record ${i}`;
  if (!isObject(row) || !('row' in row)) throw badData(file, `"rows[${i}]" has no "row"`, OFFICIAL);
  const cut = row.truncated_cells;
  if (Array.isArray(cut) && cut.length > 0) {
    throw badData(file, `${place} was cut by the server in ${shown(cut)}`, OFFICIAL);
  }
  return { place, value: row.row };
}
