/** The README and the view name the families that there are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { familyNames, withFamilies, withFamilyNames } from '../../../src/engine/checkpoint/families/table';

const readme = readFileSync(resolve(import.meta.dirname, '../../../README.md'), 'utf8');

describe('the names of the families', () => {
  it('in the README are those of today: run `npm run manifest`', () => {
    assert.equal(withFamilies(readme), readme);
  });

  it('are in the welcome of the view: run `npm run manifest`', () => {
    const file = resolve(import.meta.dirname, '../../../package.nls.json');
    const texts = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    assert.deepEqual(withFamilyNames(texts), texts);
    assert.ok(texts['welcome.empty'].includes(familyNames()));
    assert.match(familyNames(), /^LLaMA, Mistral, .*Gemma 3, Phi-3 and 4, Granite 3, OLMo 2 and SmolLM3$/);
  });

  it('need their place', () => {
    assert.throws(() => withFamilies('# Coppice'), /no place/);
  });
});
