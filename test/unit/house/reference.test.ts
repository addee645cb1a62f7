/** The reference is what the code says: `npm run docs:reference` would change nothing. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { MEASURED, withMeasured } from '../../../scripts/docs/measured/tables';
import { REFERENCE, referencePages } from '../../../scripts/docs/pages';
import { SET_VARIABLES, VARIABLES } from '../../../scripts/docs/process';
import { EXIT_CODES, exitCodesInShort } from '../../../src/cli/exit-codes';
import { buildProgram } from '../../../src/cli/program';
import { exists, sourcesIn, textOf } from './repository';

const root = resolve(import.meta.dirname, '../../..');

describe('the reference', function () {
  this.timeout(60_000); // prettier writes some sixty pages

  it('is made from the code: run `npm run docs:reference`', async () => {
    const pages = await referencePages();
    for (const { file, text } of pages) {
      assert.ok(exists(`${REFERENCE}/${file}`), `${file} is missing`);
      assert.equal(textOf(`${REFERENCE}/${file}`), text, file);
    }
    const there = readdirSync(resolve(root, REFERENCE), { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      there
        .filter((file) => file.endsWith('.md'))
        .map((file) => file.split(sep).join('/'))
        .sort(),
      pages.map(({ file }) => file).sort(),
    );
  });

  it('of kept records is in the tables of other pages: run `npm run docs:reference`', async () => {
    for (const file of MEASURED) assert.equal(await withMeasured(textOf(file)), textOf(file), file);
  });

  it('has a page for every command', () => {
    const { commands } = buildProgram(() => undefined);
    for (const command of commands) assert.ok(exists(`${REFERENCE}/cli/${command.name()}.md`), command.name());
  });
});

describe('environment variables', () => {
  it('that the program reads are in the reference, and no others', () => {
    const read = new Set<string>();
    for (const file of sourcesIn('src')) {
      const text = textOf(file).replace(/^\s*(\/?\*|\/\/).*$/gm, '');
      const named = [
        ...text.matchAll(/\b(?:process\.env|env|environment)\.([A-Z]\w+)/g),
        ...text.matchAll(/'(COPPICE_[A-Z]+|(?:VK|XDG)_[A-Z_]+)'/g),
      ].map(([, name]) => name);
      const taken = [
        ...text.matchAll(/\{([^{}]*)\} = (?:process\.env|env|environment);/g),
        ...text.matchAll(/\{([^{}]*)\}: NodeJS\.ProcessEnv\b/g),
      ].flatMap(([, names]) => names.split(',').map((each) => /\w+/.exec(each)?.[0] ?? ''));
      for (const name of [...named, ...taken]) if (/^[A-Z]/.test(name) || name === 'ConEmuTask') read.add(name);
    }
    for (const name of SET_VARIABLES) assert.ok(read.delete(name), name);
    const listed = Object.values(VARIABLES).flatMap((group) => group.flatMap(({ names }) => names));
    assert.deepEqual([...read].sort(), listed.sort());
  });
});

describe('exit codes', () => {
  it('are in the help in short', () => {
    assert.equal(new Set(EXIT_CODES.map(({ code }) => code)).size, EXIT_CODES.length);
    assert.match(exitCodesInShort(), /^0 done, 1 failed, 2 wrong usage, 3 .*, 130 cancelled with Ctrl-C$/);
  });
});
