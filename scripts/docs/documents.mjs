/** The documents of the repository for people, and their links and fenced blocks. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { withoutFences } from './anchors.mjs';

const root = resolve(import.meta.dirname, '../..');

/** Folders with documents; of the first one its own files only. */
const PLACES = ['.', '.github', 'docs', 'recipes', 'skills', 'media', 'bench', 'test/golden'];
const SKIPPED = /(^|\/)(node_modules|dist)\//;

/** Paths of all documents, with forward slashes. */
export function documents() {
  const found = PLACES.filter((place) => existsSync(join(root, place))).flatMap((place) => {
    const files = readdirSync(join(root, place), { recursive: place !== '.', encoding: 'utf8' });
    return files.map((file) => (place === '.' ? file : `${place}/${file.split(sep).join('/')}`));
  });
  return found.filter((file) => file.endsWith('.md') && !SKIPPED.test(file)).sort();
}

export const documentText = (file) => readFileSync(join(root, file), 'utf8');

/** The text without fenced blocks, spans of code and comments. */
const plain = (markdown) =>
  withoutFences(markdown)
    .replace(/<!--.*?-->/gs, '')
    .replace(/(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, (span) => (span.includes('\n\n') ? span : '`code`'));

/** Targets of links and pictures, and bare addresses. */
export function linksIn(markdown) {
  const text = plain(markdown);
  const inline = [...text.matchAll(/\]\(\s*(?:<([^>]*)>|((?:[^()\s]|\([^()\s]*\))*))(?:\s+"[^"]*")?\s*\)/g)];
  const defined = [...text.matchAll(/^ {0,3}\[[^\]^]+\]:\s*(\S+)/gm)].map(([, target]) => target);
  const rest = text.replace(/\]\([^)\s]*\)/g, ']');
  const bare = [...rest.matchAll(/\bhttps?:\/\/[^\s<>"'`)\]]*[\w/]/g)].map(([address]) => address);
  return [...new Set([...inline.map(([, angled, target]) => angled ?? target), ...defined, ...bare])];
}

/** Fenced blocks, each with the words behind its fence and its lines. */
export const fencesIn = (markdown) =>
  [...markdown.matchAll(/^( {0,3})(`{3,})([^`\n]*)\n((?:.*\n)*?)\1\2[ \t]*$/gm)].map(([, , , info, body]) => ({
    info: info.trim(),
    body,
  }));

/** Commands of a block for the shell: lines that end in a backslash go on. Comments and empty lines are none. */
export const commandsOf = (body) =>
  body
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
