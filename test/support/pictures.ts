/**
 * The pictures of the documents, and which texts of the interface each shows. `npm run docs:pictures` writes the list, and a test
 * compares it with the code: a picture with a text that is gone must be taken again.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { textsOfCode } from './l10n-texts';

const root = resolve(import.meta.dirname, '../..');

/** A picture of the folder media/readme. */
export interface Picture {
  /** SHA-256 of the file. */
  readonly sha256: string;
  /** Texts of the code that it shows, with `{0}` for each value. */
  readonly texts: readonly string[];
}

/** The list, from the root of the repository. */
export const PICTURES = 'media/readme/pictures.json';

/** Fewer letters say nothing: "{0} of {1}". */
const FEWEST_LETTERS = 4;

const letters = (message: string): number => message.replace(/\{\d+\}|[^a-z]/gi, '').length;

/** Every text of the interface with some letters: those of the code, and the titles of the manifest. */
export function interfaceTexts(): string[] {
  const manifest = JSON.parse(readFileSync(resolve(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
  const all = [...textsOfCode().map(({ message }) => message), ...Object.values(manifest)];
  return [...new Set(all)].filter((message) => letters(message) >= FEWEST_LETTERS);
}

/** The text of the code behind each text of a picture that has one: of several, the one with the most letters of its own. */
export function messagesBehind(shown: readonly string[], messages = interfaceTexts()): string[] {
  const patterns = messages
    .toSorted((a, b) => letters(b) - letters(a))
    .map((message) => {
      const parts = message.split(/\{\d+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      return { message, pattern: new RegExp(`^${parts.join('.+')}$`) };
    });
  const behind = shown.flatMap((text) => patterns.find(({ pattern }) => pattern.test(text))?.message ?? []);
  return [...new Set(behind)].sort();
}
