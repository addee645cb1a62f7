/** A file of prompts: a text with one a line, a JSON list, or JSON lines. A record is a text or has a field "prompt". */
import { extname } from 'node:path';
import { isObject } from '../../format/json';
import { messageOf, UserError } from '../errors';
import { readTextFile } from '../files/text-file';

export interface Prompts {
  /** In the order of the file, at least one; none is empty. */
  readonly texts: readonly string[];
  readonly sha256: string;
}

/** A million prompts of a hundred characters. */
const MAX_BYTES = 100_000_000;

/** @throws UserError that names the file, and the line or the record */
export async function readPrompts(path: string): Promise<Prompts> {
  const { text, sha256 } = await readTextFile(path, MAX_BYTES, 'Split the file.');
  const texts = parsePrompts(text, path);
  if (texts.length > 0) return { texts, sha256 };
  throw new UserError(`${path} has no prompts`, 'it has no text', 'Write one prompt on each line.');
}

/** @param path its ending tells JSON (.json) and JSON lines (.jsonl, .ndjson) from text */
export function parsePrompts(text: string, path: string): string[] {
  const lines = text.split(/\r?\n/).map((line, i) => ({ place: `line ${i + 1}`, line }));
  const filled = lines.filter(({ line }) => line.trim() !== '');
  switch (extname(path).toLowerCase()) {
    case '.json':
      return recordsOf(parsed(text, path, 'the file'), path).map((value, i) =>
        promptOf(value, path, `record ${i + 1}`),
      );
    case '.jsonl':
    case '.ndjson':
      return filled.map(({ line, place }) => promptOf(parsed(line, path, place), path, place));
    default:
      return filled.map(({ line }) => line);
  }
}

function parsed(text: string, path: string, place: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw unreadable(path, `${place} is not JSON (${messageOf(error)})`);
  }
}

function recordsOf(value: unknown, path: string): readonly unknown[] {
  const list = isObject(value) ? value.prompts : value;
  if (Array.isArray(list)) return list;
  throw unreadable(path, 'it is neither a list nor an object with a list "prompts"');
}

function promptOf(value: unknown, path: string, place: string): string {
  const prompt = isObject(value) ? value.prompt : value;
  if (typeof prompt !== 'string')
    throw unreadable(path, `${place} is neither a text nor an object with a text "prompt"`);
  if (prompt.trim() === '') throw unreadable(path, `the prompt of ${place} is empty`);
  return prompt;
}

const unreadable = (path: string, why: string): UserError =>
  new UserError(
    `The prompts in ${path} cannot be read`,
    why,
    'Give a text with a prompt a line, ["…"], or {"prompt": "…"} a line.',
  );
