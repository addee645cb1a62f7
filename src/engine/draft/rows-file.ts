/** The file of prompts of a forecast: prompts as texts, or rows of ids with the text that the model wrote. */
import { extname } from 'node:path';
import { isObject } from '../../format/json';
import { UserError } from '../errors';
import { parsePrompts } from '../evaluate/prompts-file';
import { readTextFile } from '../files/text-file';
import type { WrittenText } from './places';

export type PromptsOfDraft = { readonly sha256: string } & (
  | { readonly texts: readonly string[]; readonly rows?: undefined }
  | { readonly rows: readonly WrittenText[]; readonly texts?: undefined }
);

const MAX_BYTES = 100_000_000;
/** Enough for 65,000 texts of 256 tokens; more would not make a forecast better. */
const MAX_TOKENS = 2 ** 24;

/** @throws UserError that names the file, and the record */
export async function readPromptsOfDraft(path: string): Promise<PromptsOfDraft> {
  const { text, sha256 } = await readTextFile(path, MAX_BYTES, 'Split the file.');
  const rows = extname(path).toLowerCase() === '.json' ? rowsIn(text, path) : undefined;
  if (rows) return { rows, sha256 };
  const texts = parsePrompts(text, path);
  if (texts.length > 0) return { texts, sha256 };
  throw new UserError(`${path} has no prompts`, 'it has no text', 'Write one prompt on each line.');
}

/** Undefined for a file of texts, and for one that is not JSON, which its reader reports. */
function rowsIn(text: string, path: string): WrittenText[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(json) || json.rows === undefined) return undefined;
  const { rows } = json;
  if (!Array.isArray(rows) || rows.length === 0) throw badRows(path, 'rows', 'is not a list with something in it');
  let tokens = 0;
  return rows.map((row: unknown, r) => {
    const [prompt, ids] = ['prompt', 'ids'].map((field) => {
      const value = isObject(row) ? row[field] : undefined;
      if (!Array.isArray(value) || value.length === 0)
        throw badRows(path, `rows[${r}].${field}`, 'is not a list of ids');
      tokens += value.length;
      if (tokens > MAX_TOKENS) throw badRows(path, `rows[${r}]`, `brings it above ${MAX_TOKENS} ids`);
      const bad = value.findIndex((id) => !Number.isInteger(id) || id < 0);
      if (bad >= 0) throw badRows(path, `rows[${r}].${field}[${bad}]`, 'is not a token id');
      return value as number[];
    });
    return { prompt, ids };
  });
}

const badRows = (path: string, field: string, why: string): UserError =>
  new UserError(
    `${path} cannot be used`,
    `${field} ${why}`,
    'Give prompts as texts, or {"rows": [{"prompt": [ids], "ids": [ids]}]}.',
  );

/** @throws UserError for ids that the model does not have, and for a text that is longer than its context */
export function requireRows(rows: readonly WrittenText[], path: string, vocabulary: number, context: number): void {
  for (const [r, { prompt, ids }] of rows.entries()) {
    for (const [field, values] of [['prompt', prompt] as const, ['ids', ids] as const]) {
      const bad = values.findIndex((id) => id >= vocabulary);
      if (bad >= 0)
        throw badRows(path, `rows[${r}].${field}[${bad}]`, `is ${values[bad]}; the model has ${vocabulary} tokens`);
    }
    const length = prompt.length + ids.length;
    if (length > context) throw badRows(path, `rows[${r}]`, `has ${length} tokens; the model reads ${context}`);
  }
}
