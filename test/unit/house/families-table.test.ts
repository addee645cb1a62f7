/** The families in the documents and in the welcome of the view are those of the code. */
import assert from 'node:assert/strict';
import { FAMILIES } from '../../../src/engine/checkpoint/families';
import { familyNames, withFamilies, withFamilyNames } from '../../../src/engine/checkpoint/families/table';
import { textOf } from './repository';

describe('families of models', () => {
  it('have a row each in the reference', () => {
    const page = textOf('docs/reference/models.md');
    for (const { modelType, models } of FAMILIES) {
      assert.ok(page.includes(`\`${modelType}\``) && page.includes(models), modelType);
    }
  });

  it('are named in the README: run `npm run manifest`', () => {
    const readme = textOf('README.md');
    assert.equal(withFamilies(readme), readme);
    assert.throws(() => withFamilies('# Coppice'), /no place/);
  });

  it('are said in short by the welcome of the view: run `npm run manifest`', () => {
    const texts = JSON.parse(textOf('package.nls.json')) as Record<string, string>;
    assert.deepEqual(withFamilyNames(texts), texts);
    assert.ok(texts['welcome.empty'].includes(familyNames()));
    assert.match(
      familyNames(),
      /^LLaMA, Mistral, .*Gemma 3, Phi-3 and 4, Granite 3, OLMo 2, SmolLM3, .*OLMoE, gpt-oss, LFM2.* and [^,]+$/,
    );
  });
});
