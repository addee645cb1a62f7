/** The records of one file of an application's text. */
import { messageOf, UserError } from '../errors';
import { isObject } from '../../format/json';
import { startsWithObject } from '../../format/json-lines';
import { isWrapped } from '../files/unwrap';
import type { ApplicationFile } from './files';
import { type ApplicationRecord, isEmptyRecord, RECORD_FIELDS, recordOf } from './record';

/** A record, and where it is: "line 3", "record 3", "document". */
export interface Placed {
  readonly place: string;
  readonly record: ApplicationRecord;
}

/**
 * The records of a file, without empty ones; in a text without a blank line each line is one, if its lines are not broken at a fixed width.
 * @returns why it has none, for a file that may lie beside texts: a config, a vocabulary
 * @throws UserError naming the line or record that is none, among others that are
 */
export function recordsOf(text: string, file: ApplicationFile): readonly Placed[] | string {
  if (text.includes('\0')) return 'it is not text';
  const found = placedValues(text, file);
  if (typeof found === 'string') return found;
  const records: Placed[] = [];
  for (const { place, value } of found) {
    const record = recordOf(value);
    if (typeof record !== 'string') {
      if (!isEmptyRecord(record)) records.push({ place, record });
    } else if (records.length === 0 && file.kind === 'json') return `${place} ${record}`;
    else throw noRecord(file, `${place} ${record}`);
  }
  return records.length === 0 ? 'it has no text' : records;
}

interface PlacedValue {
  readonly place: string;
  readonly value: unknown;
}

function placedValues(text: string, file: ApplicationFile): readonly PlacedValue[] | string {
  switch (file.kind) {
    case 'markup':
      return [{ place: 'the document', value: text }];
    case 'text':
      if (startsWithObject(text)) return placedValues(text, { ...file, kind: 'lines' });
      return promptsOf(text) ?? [{ place: 'the document', value: text }];
    case 'lines':
      return text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [jsonLine(line, `line ${i + 1}`, file)]));
    case 'json':
      return jsonRecords(text);
  }
}

/** Prompts, one a line; undefined for a document. */
function promptsOf(text: string): PlacedValue[] | undefined {
  const lines = text.trim().split(/\r?\n/);
  if (lines.length < 2 || lines.some((line) => line.trim() === '')) return undefined;
  if (isWrapped(lines.map((line) => line.trim()))) return undefined;
  return lines.map((value, i) => ({ place: `line ${i + 1}`, value }));
}

function jsonLine(line: string, place: string, file: ApplicationFile): PlacedValue {
  try {
    return { place, value: JSON.parse(line) };
  } catch (error) {
    throw noRecord(file, `${place} is not JSON (${messageOf(error)})`, error);
  }
}

/** Ids of tokens, which no other model reads. */
const IDS = ['rows', 'batches'];

/** A list of records, one record, or an object whose only list has them. */
function jsonRecords(text: string): readonly PlacedValue[] | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `it is not JSON (${messageOf(error)})`;
  }
  const numbered = (list: readonly unknown[]): PlacedValue[] =>
    list.map((value, i) => ({ place: `record ${i + 1}`, value }));
  if (Array.isArray(json)) return json.length === 0 ? 'it has no records' : numbered(json);
  if (!isObject(json)) return 'it has no records';
  if (typeof recordOf(json) !== 'string') return [{ place: 'record 1', value: json }];
  if (IDS.some((name) => Array.isArray(json[name]))) return 'it has ids of tokens, not text';
  const lists = Object.values(json).filter((value): value is unknown[] => Array.isArray(value));
  return lists.length === 1 && lists[0].length > 0 ? numbered(lists[0]) : 'it has no records';
}

export const noRecord = ({ path }: ApplicationFile, why: string, cause?: unknown): UserError =>
  new UserError(
    `Cannot read ${path} as the application’s text`,
    why,
    `Give records with ${RECORD_FIELDS}; or a text, one prompt a line or documents.`,
    { cause },
  );
