/** The types of options are the definitions of the jobs, and every command of a job is a function. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOLDER, interfaceOf, jobs, optionsSource } from '../../../scripts/library/options';
import * as library from '../../../src/library/index';
import { functionOf } from '../../../src/library/naming';

describe('options of the library', () => {
  it('are those of the definitions: otherwise run npm run manifest', async () => {
    assert.deepEqual(readdirSync(FOLDER).sort(), jobs.map(({ kind }) => `${kind}.ts`).sort());
    for (const job of jobs)
      assert.equal(readFileSync(join(FOLDER, `${job.kind}.ts`), 'utf8'), await optionsSource(job));
  });

  it('belong to a function for every command of a job', () => {
    const functions = new Map<string, unknown>(Object.entries(library));
    for (const { kind } of jobs) assert.equal(typeof functions.get(functionOf(kind)), 'function', kind);
  });

  it('speak of properties and functions, not of flags', async () => {
    for (const job of jobs) {
      const text = (await optionsSource(job)).replace('llama-quantize --prune-layers', '');
      assert.doesNotMatch(text, /(?<![\w-])--[a-z]|`?coppice [a-z]+ /, job.kind);
      assert.match(text, new RegExp(`^export interface ${interfaceOf(job)} \\{$`, 'm'));
    }
  });

  it('are in the JSON Schema of each function, by the same names', async () => {
    for (const job of jobs) {
      const { properties } = library.schemaOf(job.kind as library.JobName) as { properties: object };
      const names = [...(await optionsSource(job)).matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
      const data = Object.entries(job.options).filter(([, { kind }]) => kind.kind === 'data');
      const expected = Object.keys(properties).filter((name) => !data.some(([each]) => each === name));
      assert.deepEqual(names, expected, job.kind);
    }
  });
});
