/** The README's table of models is the list of families. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FAMILIES } from '../../../src/engine/checkpoint/families';
import {
  familiesTable,
  familyNames,
  withFamilies,
  withFamilyNames,
} from '../../../src/engine/checkpoint/families/table';

const readme = readFileSync(resolve(import.meta.dirname, '../../../README.md'), 'utf8');

describe('the table of models', () => {
  it('in the README is that of the families: run `npm run manifest`', () => {
    assert.equal(withFamilies(readme), readme);
  });

  it('has a row for every family, with its models', () => {
    const rows = familiesTable().split('\n').slice(2);
    assert.equal(rows.length, FAMILIES.length);
    for (const [i, { modelType, models }] of FAMILIES.entries()) {
      assert.ok(rows[i].includes(`\`${modelType}\``) && rows[i].includes(models), modelType);
    }
  });

  it('is said in short by the welcome of the view: run `npm run manifest`', () => {
    const file = resolve(import.meta.dirname, '../../../package.nls.json');
    const texts = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    assert.deepEqual(withFamilyNames(texts), texts);
    assert.ok(texts['welcome.empty'].includes(familyNames()));
    assert.match(familyNames(), /^LLaMA, Mistral, .*Gemma 3, Phi-3 and 4, Granite 3, OLMo 2 and SmolLM3$/);
  });

  it('needs its place', () => {
    assert.throws(() => withFamilies('# Coppice'), /no place/);
  });
});
