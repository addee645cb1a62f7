/**
 * The sample model against what PyTorch, transformers and PEFT computed from it (test/golden/sample): the proof of the
 * engine that needs nothing beside the repository. Where stories260K is there too, test:full alone repeats all of it with the sample.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadLocalTokenizer, type LocalTokenizer } from '../../../src/engine/tokenizer/local';
import { endBlocks } from '../../../src/engine/importance/select';
import { checkpointFolder, goldenImportance, goldenTokens } from '../../support/golden';
import { checkTaylor } from '../../support/golden-checks';
import { testGoldenNumbers } from '../../support/golden-suite';
import { checkFullTraining, checkGradientNorms, checkLora } from '../../support/golden-training';
import { runOn } from '../../support/jobs';
import { continueWithLlamaCpp, itLlamaCppFull } from '../../support/llamacpp';
import { describedModel } from '../../support/model';
import { hasShared, itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { checkTokens } from '../../support/token-checks';

const NAME = 'sample';
const MAX_BYTES = 8e6;

const itAlone = hasShared ? itFull : it;

describe('the sample model', function () {
  this.timeout('5m'); // on a busy machine
  const folder = checkpointFolder(NAME);

  it('is complete and small', () => {
    const names = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'README.md'];
    const texts = ['calibration.txt', 'evaluation.txt', 'retrain.jsonl'];
    for (const name of [...names, ...texts]) assert.ok(existsSync(join(folder, name)), name);
    assert.ok(names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) <= MAX_BYTES);
  });

  it('is measured on stories that neither score nor retrain it', () => {
    const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const stories = text('evaluation.txt').trim().split('\n\n');
    assert.ok(stories.length > 10);
    for (const name of ['calibration.txt', 'retrain.jsonl']) {
      const others = text(name);
      for (const story of stories) assert.ok(!others.includes(story.slice(0, 50)), `${name}: ${story.slice(0, 50)}`);
    }
  });

  it('has blocks that matter and blocks that do not among those that may go', () => {
    const { full, ppl } = goldenImportance(NAME);
    const kept = endBlocks(ppl.blocks.length);
    const rises = ppl.blocks.filter(({ block }) => !kept.includes(block)).map(({ meanNll }) => meanNll - full.meanNll);
    assert.ok(Math.min(...rises) > 0);
    assert.ok(Math.max(...rises) >= 3 * Math.min(...rises), rises.join());
  });

  describe('its tokenizer', () => {
    let tokenizer: LocalTokenizer;
    before(async () => {
      tokenizer = await loadLocalTokenizer(folder);
    });
    for (const golden of goldenTokens(NAME)) {
      it(JSON.stringify(golden.text), () => checkTokens(tokenizer, golden));
    }
  });

  itLlamaCppFull(
    'is a GGUF file that llama.cpp cuts into the same tokens, and continues with the same words',
    async () => {
      const out = join(temporaryFolder(), 'sample.gguf');
      await runOn('export', { checkpoint: folder, format: 'gguf', type: ['f32'], out, verify: false });
      const prompt = 'Once upon a time, 3 little ducks went to the "big" pond.\n\nThey';
      const found = continueWithLlamaCpp(out, prompt, 16);
      const tokenizer = await loadLocalTokenizer(folder);
      assert.deepEqual(found.promptIds, tokenizer.encode(prompt, { addSpecialTokens: true }));
      const { result } = await runOn('generate', { checkpoint: folder, prompt, maxNewTokens: 16, greedy: true });
      assert.deepEqual(found.ids, (result as { ids: readonly number[] }).ids);
    },
  );

  describe('its golden numbers', () => {
    const model = describedModel(() => folder);
    testGoldenNumbers(model, NAME, 'family'); // test/engine/importance/screened.test.ts screens it
    itAlone('Taylor scores', () => checkTaylor(model(), NAME));
    itAlone('gradient norms of every parameter', () => checkGradientNorms(model(), NAME));
    itAlone('a LoRA run, and its adapter merged', () => checkLora(model(), NAME));
    itAlone('a run that trains every weight', () => checkFullTraining(model(), NAME));
  });
});
