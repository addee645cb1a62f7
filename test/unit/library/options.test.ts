/** The types of options are the definitions of the jobs, and every command of a job is a function. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { interfaceOf, interfaceSource, jobs, optionsSource } from '../../../scripts/library/options';
import * as library from '../../../src/library/index';
import { functionOf } from '../../../src/library/naming';
import { temporaryFolder } from '../../support/temporary';
import { textOf } from '../house/repository';

describe('options of the library', () => {
  it('are made from the definitions by the build, not kept in git: otherwise run npm run build', () => {
    assert.equal(textOf('src/library/options.ts'), optionsSource());
    const file = join(temporaryFolder(), 'options.ts');
    const make = `import { makeOptions } from './scripts/library/make-options.mjs'; await makeOptions(process.argv[1]);`;
    execFileSync(process.execPath, ['--input-type=module', '-e', make, file], {
      cwd: resolve(import.meta.dirname, '../../..'),
    });
    assert.equal(readFileSync(file, 'utf8'), optionsSource());
    for (const program of ['esbuild.mjs', 'scripts/check.mjs', 'test/run.mjs']) {
      assert.match(textOf(program), /^await makeOptions\(\);$/m, program);
    }
    assert.match(textOf('.gitignore'), /^src\/library\/options\.ts$/m);
  });

  it('belong to a function for every command of a job', () => {
    const functions = new Map<string, unknown>(Object.entries(library));
    for (const { kind } of jobs) assert.equal(typeof functions.get(functionOf(kind)), 'function', kind);
  });

  it('speak of properties and functions, not of flags', () => {
    for (const job of jobs) {
      const text = interfaceSource(job).replace('llama-quantize --prune-layers', '');
      assert.doesNotMatch(text, /(?<![\w-])--[a-z]|`?coppice [a-z]+ /, job.kind);
      assert.match(text, new RegExp(`^export interface ${interfaceOf(job)} \\{$`, 'm'));
    }
  });

  it('are in the JSON Schema of each function, by the same names', () => {
    for (const job of jobs) {
      const { properties } = library.schemaOf(job.kind as library.JobName) as { properties: object };
      const names = [...interfaceSource(job).matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
      const data = Object.entries(job.options).filter(([, { kind }]) => kind.kind === 'data');
      const expected = Object.keys(properties).filter((name) => !data.some(([each]) => each === name));
      assert.deepEqual(names, expected, job.kind);
    }
  });
});
