/**
 * Documents of a calibration file: lines of JSONL, or paragraphs of a text. (Shortened LLaMA's BookCorpus has one
 * document per row.)
 */
import { isObject } from '../../format/json';
import { extname } from 'node:path';
import { messageOf, UserError } from '../errors';

/**
 * The non-empty documents of `text`, in order. `file` names the text in messages, and its extension tells JSONL
 * (`.jsonl`, `.ndjson`: field `text` of each line) from text (paragraphs between blank lines).
 * @throws UserError when a line is not a document, or no document is left
 */
export function splitDocuments(text: string, file: string): string[] {
  const jsonLines = ['.jsonl', '.ndjson'].includes(extname(file).toLowerCase());
  const documents = jsonLines ? lines(text, file) : paragraphs(text);
  if (documents.length > 0) return documents;
  throw new UserError(`Cannot use ${file} for calibration`, 'it has no text', 'Give a file with text in it.');
}

function paragraphs(text: string): string[] {
  return text
    .replaceAll('\r\n', '\n')
    .split(/\n[^\S\n]*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '');
}

function lines(text: string, file: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const document = documentOf(line, index + 1, file);
    return document.trim() === '' ? [] : [document];
  });
}

function documentOf(line: string, number: number, file: string): string {
  const fail = (why: string, cause?: unknown) =>
    new UserError(
      `Cannot use ${file} for calibration`,
      `line ${number} ${why}`,
      'Every line must be a JSON object with the document in "text".',
      { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw fail(`is not JSON (${messageOf(error)})`, error);
  }
  const text: unknown = isObject(value) ? value.text : undefined;
  if (typeof text !== 'string') throw fail('has no string "text"');
  return text;
}
