/** One word for one thing: the glossary lists words that are not used, and pages and interface do not use them. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { CRITERION_LIST } from '../../../src/engine/importance/criteria';
import { literalsIn, textsIn } from '../../support/l10n-texts';
import { sourcesIn, textOf } from './repository';

const GLOSSARY = 'docs/glossary.md';
/** A table whose words are names of the code: the design pages speak of the code. */
const OF_CODE = 'Words of the code';

/** A row of the glossary. */
interface Entry {
  readonly section: string;
  /** Several names of one row, separated by commas. */
  readonly terms: readonly string[];
  readonly not: readonly string[];
}

const listOf = (cell: string): string[] =>
  cell
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '–' && word !== '');

/** The rows of the tables whose columns are term, meaning, not. */
function entriesIn(glossary: string): Entry[] {
  const entries: Entry[] = [];
  let section = '';
  let isTable = false;
  for (const line of glossary.split('\n')) {
    section = /^## (.*)$/.exec(line)?.[1] ?? section;
    const cells = line.startsWith('|')
      ? line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim())
      : undefined;
    if (!cells) isTable = false;
    else if (cells.join() === 'term,meaning,not') isTable = true;
    else if (isTable && !/^-+$/.test(cells[0])) {
      const [term, , not] = cells;
      entries.push({ section, terms: listOf(term), not: listOf(not) });
    }
  }
  return entries;
}

/** What is read as a word of a page: no code, no addresses, nothing in quotation marks. */
const proseOf = (markdown: string): string =>
  markdown
    .replace(/^( *)(```|~~~)[^\n]*\n.*?^\1\2/gms, ' ')
    .replace(/`[^`]*`/g, ' ')
    .replace(/\]\([^)]*\)/g, ' ')
    .replace(/"[^"\n]*"|“[^”\n]*”/g, ' ')
    .replace(/\s+/g, ' ');

const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s+');
const asWord = (word: string, ends = ''): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])${escaped(word)}${ends}(?![\\p{L}\\p{N}])`, 'giu');

/** The words of the entries that a text uses. Terms are taken out first: "KL divergence" has the word "divergence". */
function strangersIn(text: string, entries: readonly Entry[]): string[] {
  return entries.flatMap(({ terms, not }) => {
    const rest = terms.reduce((left, term) => left.replace(asWord(term, 's?'), ' '), text);
    return not.filter((word) => asWord(word, 's?').test(rest)).map((word) => `“${word}”: say “${terms[0]}”`);
  });
}

const glossary = entriesIn(textOf(GLOSSARY));
/** Documents outside of docs. */
const DOCUMENTS = [
  'README.md',
  'README.extension.md',
  'README.npm.md',
  'CONTRIBUTING.md',
  'recipes/README.md',
  'skills/depth-pruning/SKILL.md',
  'media/sample/README.md',
];
const pages = readdirSync(join(import.meta.dirname, '../../../docs'), { recursive: true, encoding: 'utf8' })
  .map((file) => `docs/${file.split(sep).join('/')}`)
  .filter((file) => file.endsWith('.md') && !/\/(node_modules|reference|\.[\w-]+)\//.test(file) && file !== GLOSSARY)
  .concat(DOCUMENTS);

/** Texts that a model reads. */
const SAMPLE_TEXTS = ['src/cli/demo/texts.ts'];

/** A call that `textsIn` may find; parsing every file takes long. */
const TRANSLATES = /(?<!\w)t\(/;

/** Every text of the interface, with its place. */
function interfaceTexts(): (readonly [place: string, text: string])[] {
  const manifest = Object.entries(JSON.parse(textOf('package.nls.json')) as Record<string, string>);
  const ofCode = ['src', 'webview'].flatMap(sourcesIn).flatMap((file) => {
    const source = textOf(file);
    const texts = TRANSLATES.test(source) ? textsIn(file, source).texts : [];
    return texts.map(({ message }) => [file, message] as const);
  });
  const ofCriteria = CRITERION_LIST.flatMap(({ title, help }) => [title, help]).map(
    (text) => ['src/engine/importance/criteria.ts', text] as const,
  );
  return [...manifest.map(([key, text]) => [`package.nls.json, ${key}`, text] as const), ...ofCode, ...ofCriteria];
}

/** Every text of the terminal, with its place: sentences and headings in the code of the command line and of the jobs. */
function terminalTexts(): (readonly [place: string, text: string])[] {
  return ['src/cli', 'src/jobs', 'src/recipes']
    .flatMap(sourcesIn)
    .filter((file) => !SAMPLE_TEXTS.includes(file))
    .flatMap((file) => {
      const source = textOf(file);
      const isClean = strangersIn(source, glossary).length === 0; // parsing every file takes long
      return isClean ? [] : literalsIn(file, source).map((text) => [file, text] as const);
    });
}

describe('words', () => {
  it('of the glossary have one row each, and none is both a term and not used', () => {
    assert.ok(glossary.length > 40);
    const terms = glossary.flatMap((entry) => entry.terms.map((term) => term.toLowerCase()));
    assert.deepEqual(
      terms.filter((term, i) => terms.indexOf(term) !== i),
      [],
    );
    const not = glossary.flatMap((entry) => entry.not.map((word) => word.toLowerCase()));
    assert.deepEqual(
      not.filter((word, i) => terms.includes(word) || not.indexOf(word) !== i),
      [],
    );
  });

  it('that are not used are found', () => {
    const entries = entriesIn(
      '## One\n\n| term | meaning | not |\n| --- | --- | --- |\n| KL divergence | – | divergence, KL distance |\n' +
        '| original | – | whole model |\n',
    );
    const found = (text: string): string[] => strangersIn(proseOf(text), entries).map((each) => each.split(':')[0]);
    assert.deepEqual(found('The KL divergence of the original.'), []);
    assert.deepEqual(found('The Divergence of the whole\nmodels.'), ['“divergence”', '“whole model”']);
    assert.deepEqual(found('`divergence`, “whole model”, [x](divergence.md)\n\n```sh\ndivergence\n```\n'), []);
  });

  for (const page of pages) {
    it(`in ${page}`, () => {
      const isOfCode = page.startsWith('docs/design/') || page === 'CONTRIBUTING.md';
      const entries = isOfCode ? glossary.filter((each) => each.section !== OF_CODE) : glossary;
      assert.deepEqual(strangersIn(proseOf(textOf(page)), entries), []);
    });
  }

  const strangersOf = (texts: readonly (readonly [place: string, text: string])[]): string[] =>
    texts.flatMap(([place, text]) =>
      strangersIn(text.replace(/`[^`]*`|--[\w-]+/g, ' '), glossary).map(
        (stranger) => `${place}: ${stranger} in “${text}”`,
      ),
    );

  it('in the interface', () => {
    assert.deepEqual(strangersOf(interfaceTexts()), []);
  });

  it('in the terminal', () => {
    assert.deepEqual(strangersOf(terminalTexts()), []);
  });
});
