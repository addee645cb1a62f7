/** The documents as tests read them. */
// @ts-expect-error -- plain JavaScript, shared with the site
import * as anchors from '../../scripts/docs/anchors.mjs';
// @ts-expect-error -- plain JavaScript, shared with the check of addresses
import * as read from '../../scripts/docs/documents.mjs';

interface Fence {
  readonly info: string;
  readonly body: string;
}

export const { anchorsIn, withoutFences } = anchors as {
  readonly anchorsIn: (markdown: string) => string[];
  readonly withoutFences: (markdown: string) => string;
};

export const { commandsOf, documents, documentText, fencesIn, linksIn } = read as {
  readonly commandsOf: (body: string) => string[];
  readonly documents: () => string[];
  readonly documentText: (file: string) => string;
  readonly fencesIn: (markdown: string) => Fence[];
  readonly linksIn: (markdown: string) => string[];
};

/** Blocks for the shell: ```sh runs as it stands, ```sh needs=X does not. */
export const shellBlocks = (markdown: string): { readonly needs?: string; readonly commands: string[] }[] =>
  fencesIn(markdown)
    .filter(({ info }) => /^sh\b/.test(info))
    .map(({ info, body }) => ({ needs: /^sh needs=(.*)$/.exec(info)?.[1], commands: commandsOf(body) }));

/** The words of a command as the shell takes them, up to a pipe, a redirection or the next command. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [token] of line.matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'|<>&;])+|[|<>&;]/g)) {
    if (/^[|<>&;]$/.test(token)) break;
    words.push(token.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, '$1$2'));
  }
  return words;
}
