/**
 * The sample model against what PyTorch, transformers and PEFT computed from it (test/golden/sample): the proof of the
 * engine that needs nothing beside the repository.
 */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer, type Tokenizer } from '../../src/engine/tokenizer/tokenizer';
import { checkpointFolder, goldenTokens } from '../support/golden';
import {
  checkAngular,
  checkBlockInfluence,
  checkBlockPerplexity,
  checkGreedyIds,
  checkGreedyRemovals,
  checkLogits,
  checkMagnitude,
  checkModulePerplexity,
  checkResidualNorms,
  checkTaylor,
} from '../support/golden-checks';
import { checkFullTraining, checkGradientNorms, checkLora } from '../support/golden-training';
import { describedModel } from '../support/model';
import { checkTokens } from '../support/token-checks';

const NAME = 'sample';
const MOST_BYTES = 8e6;

describe('the sample model', function () {
  this.timeout('5m'); // on a busy machine
  const folder = checkpointFolder(NAME);

  it('is complete and small', () => {
    const names = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'README.md'];
    const texts = ['calibration.txt', 'evaluation.txt', 'retrain.jsonl'];
    for (const name of [...names, ...texts]) assert.ok(existsSync(join(folder, name)), name);
    assert.ok(names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) <= MOST_BYTES);
  });

  describe('its tokenizer', () => {
    let tokenizer: Tokenizer;
    before(async () => {
      tokenizer = await loadTokenizer(folder);
    });
    for (const golden of goldenTokens(NAME)) {
      it(JSON.stringify(golden.text), () => checkTokens(tokenizer, golden));
    }
  });

  describe('its golden numbers', () => {
    const model = describedModel(() => folder);
    it('logits, log-sum-exp and arg max', () => checkLogits(model(), NAME));
    it('residual norms', () => checkResidualNorms(model(), NAME));
    it('perplexity of every block', () => checkBlockPerplexity(model(), NAME));
    it('perplexity of every module', () => checkModulePerplexity(model(), NAME));
    it('magnitude', () => checkMagnitude(model(), NAME));
    it('block influence', () => checkBlockInfluence(model(), NAME));
    it('angular distance of every window', () => checkAngular(model(), NAME));
    it('greedy removals', () => checkGreedyRemovals(model(), NAME));
    it('greedy text, full and pruned', () => checkGreedyIds(model(), NAME, { nearTie: 1e-3 }));
    it('Taylor scores', () => checkTaylor(model(), NAME));
    it('gradient norms of every parameter', () => checkGradientNorms(model(), NAME));
    it('a LoRA run, and its adapter merged', () => checkLora(model(), NAME));
    it('a run that trains every weight', () => checkFullTraining(model(), NAME));
  });
});
