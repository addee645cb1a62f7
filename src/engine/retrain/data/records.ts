/**
 * Detects what a file of training data holds from its content: JSON or JSON lines with instructions, conversations or
 * documents, batches of token ids, or else running text.
 */
import { extname } from 'node:path';
import { messageOf, UserError } from '../../errors';
import { option } from '../../option-token';
import { isObject, type JsonObject } from '../../../format/json';
import { startsWithObject } from '../../../format/json-lines';
import type { ChatMessage } from '../../tokenizer/tokenizer';
import type { Instruction } from '../../application/prompted';

/**
 * text: a plain text · documents: records with `text` · instructions: records with `instruction`, `input`, `output`
 * (Alpaca) · chat: records with `messages` · batches: `{"batches": [{"ids", "labels"}]}`.
 */
export type DataKind = 'text' | 'documents' | 'instructions' | 'chat' | 'batches';

/** One record and its position for messages: "line 3" or "record 3". */
export interface Placed<T> {
  readonly place: string;
  readonly value: T;
}

export type Records =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'documents'; readonly records: readonly Placed<string>[] }
  | { readonly kind: 'instructions'; readonly records: readonly Placed<Instruction>[] }
  | { readonly kind: 'chat'; readonly records: readonly Placed<readonly ChatMessage[]>[] }
  | { readonly kind: 'batches'; readonly value: unknown };

const FIELDS = '"instruction" and "output", "messages", or "text"';

/**
 * The records of `text`. `file` names it in messages; `kind` overrides the detected kind.
 * @throws UserError naming line (or record) and field
 */
export function parseRecords(text: string, file: string, kind?: DataKind): Records {
  if (kind === 'text') return { kind, text };
  const json = readJson(text, file);
  if (json === undefined) {
    if (kind === undefined) return { kind: 'text', text };
    throw unusable(file, 'it is neither JSON nor JSON lines', `Records of the kind "${kind}" are JSON.`);
  }
  if (kind === 'batches' || (kind === undefined && isObject(json) && 'batches' in json)) {
    return { kind: 'batches', value: json };
  }
  const records = Array.isArray(json) ? json : [{ place: 'record 1', value: json }];
  if (records.length === 0) throw unusable(file, 'it has no records', 'Give a file with records in it.');
  const objects = records.map(({ place, value }) => {
    if (isObject(value)) return { place, value };
    throw unusable(file, `${place} is not a JSON object`, `Every record must be an object with ${FIELDS}.`);
  });
  if (kind === undefined) requireOneKind(objects, kindOf(objects[0], file), file);
  switch (kind ?? kindOf(objects[0], file)) {
    case 'documents':
      return { kind: 'documents', records: objects.map((record) => at(record, stringField(record, 'text', file))) };
    case 'instructions':
      return { kind: 'instructions', records: objects.map((record) => at(record, instructionOf(record, file))) };
    case 'chat':
      return { kind: 'chat', records: objects.map((record) => at(record, messagesOf(record, file))) };
  }
}

/** The field that identifies the kind of a record, and the description of such a record. */
const FIELD_OF = {
  documents: ['text', 'a document'],
  instructions: ['instruction', 'an instruction'],
  chat: ['messages', 'a conversation'],
} as const;

/** The first record determines the kind of all. An error names the first record that differs. */
function requireOneKind(records: readonly Placed<JsonObject>[], kind: keyof typeof FIELD_OF, file: string): void {
  const [field, first] = FIELD_OF[kind];
  const other = records.find(({ value }) => !(field in value));
  if (other === undefined) return;
  const [otherField, found] = FIELD_OF[kindOf(other, file)];
  throw unusable(
    file,
    `${other.place} is ${found} ("${otherField}"), ${records[0].place} is ${first} ("${field}")`,
    `Give all records of a file the same fields, or a file for each kind: ${option('data')} can be repeated.`,
  );
}

/**
 * The file's JSON: an array or lines as records with positions, another object as it is; undefined when the file is a
 * text.
 */
function readJson(text: string, file: string): Placed<unknown>[] | JsonObject | undefined {
  const extension = extname(file).toLowerCase();
  if (extension === '.jsonl' || extension === '.ndjson') return readLines(text, file);
  let problem: unknown;
  try {
    const json: unknown = JSON.parse(text);
    if (Array.isArray(json)) return json.map((value: unknown, i) => ({ place: `record ${i + 1}`, value }));
    if (isObject(json)) return json;
  } catch (error) {
    problem = error;
  }
  if (startsWithObject(text)) return readLines(text, file);
  if (extension !== '.json') return undefined;
  const why = problem === undefined ? 'it has no records' : `it is not JSON (${messageOf(problem)})`;
  throw unusable(file, why, 'Correct the file, or give it another extension if it is a text.');
}

function readLines(text: string, file: string): Placed<unknown>[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const place = `line ${i + 1}`;
    try {
      return [{ place, value: JSON.parse(line) as unknown }];
    } catch (error) {
      throw unusable(file, `${place} is not JSON (${messageOf(error)})`, 'Every line must be one JSON object.', error);
    }
  });
}

function kindOf({ place, value }: Placed<JsonObject>, file: string): 'documents' | 'instructions' | 'chat' {
  if ('messages' in value) return 'chat';
  if ('instruction' in value) return 'instructions'; // before "text": Alpaca on the Hub has both
  if ('text' in value) return 'documents';
  const fields = Object.keys(value).slice(0, 8);
  const found =
    fields.length === 0 ? 'no fields' : `the fields ${fields.map((name) => JSON.stringify(name)).join(', ')}`;
  throw unusable(file, `${place} has ${found}`, `Records must have ${FIELDS}.`);
}

function instructionOf(record: Placed<JsonObject>, file: string): Instruction {
  const { input } = record.value;
  return {
    instruction: stringField(record, 'instruction', file),
    input: input === undefined || input === null ? '' : stringField(record, 'input', file),
    output: stringField(record, 'output', file),
  };
}

function messagesOf({ place, value }: Placed<JsonObject>, file: string): ChatMessage[] {
  const { messages } = value;
  if (!Array.isArray(messages) || messages.length === 0) {
    throw unusable(file, `${place}: "messages" is not a list of messages`, 'Give a list of {"role", "content"}.');
  }
  return messages.map((message: unknown, i) => {
    if (isObject(message) && typeof message.role === 'string' && typeof message.content === 'string') {
      return { role: message.role, content: message.content };
    }
    throw unusable(
      file,
      `${place}: "messages[${i}]" has no string "role" and "content"`,
      'Every message must be {"role": "user", "content": "…"}; only text is supported.',
    );
  });
}

function stringField({ place, value }: Placed<JsonObject>, field: string, file: string): string {
  const content = value[field];
  if (typeof content === 'string') return content;
  throw unusable(file, `${place} has no string ${JSON.stringify(field)}`, `Every record must have ${FIELDS}.`);
}

/** The error for a file that cannot be used for training. */
export function unusable(file: string, why: string, action: string, cause?: unknown): UserError {
  return new UserError(`Cannot train on ${file}`, why, action, { cause });
}

function at<T>({ place }: Placed<unknown>, value: T): Placed<T> {
  return { place, value };
}
