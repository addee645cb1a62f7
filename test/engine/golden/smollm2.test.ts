/**
 * SmolLM2-135M-Instruct, a real model in BF16 (widened from a Q4_1 file), against its golden numbers. `npm test` takes its
 * logits, the rest waits for `npm run test:full`.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { storedTensor } from '../../../src/engine/formats/stored-tensor';
import { type Perplexity } from '../../../src/engine/evaluate/perplexity';
import { scoreGreedy } from '../../../src/engine/importance/criteria/greedy';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { viewWithout } from '../../../src/engine/model/view';
import { assertClose, TOLERANCE } from '../../support/close';
import { calibrationRows, goldenImportance, goldenPerplexities } from '../../support/golden';
import {
  checkAngular,
  checkBlockInfluence,
  checkBlockPerplexity,
  checkGreedyIds,
  checkGreedyRemoval,
  checkGreedyRemovals,
  checkLogits,
  checkMagnitude,
  checkModulePerplexity,
  checkResidualNorms,
  checkScreenedRemovals,
  checkScreenedScores,
  checkSomeBlocks,
} from '../../support/golden-checks';
import { describedModel } from '../../support/model';
import { runOn } from '../../support/jobs';
import { describeShared, full, itFull, shared, smollm2Folder, smollm2Gguf } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { evaluatePerplexity } from '../../support/measuring';

const NAME = 'smollm2-135m';

describeShared('golden numbers of SmolLM2-135M-Instruct', function () {
  this.timeout('30m'); // six sweeps in a row, on a busy machine
  const model = describedModel(smollm2Folder);

  itFull('its weights are those of its Q4_1 file, widened by an export', async () => {
    const out = join(temporaryFolder(), 'widened');
    const checkpoint = smollm2Gguf();
    await runOn('export', { checkpoint, format: 'safetensors', type: ['bf16'], out, verify: false });
    assert.deepEqual(await digests(out), await digests(smollm2Folder()));
  });
  it('logits, log-sum-exp and arg max', () => checkLogits(model(), NAME));
  itFull('residual norms', () => checkResidualNorms(model(), NAME));
  itFull('perplexity without the first, a middle and the last block', () =>
    checkSomeBlocks(model(), NAME, [0, 14, 29], 2),
  );
  itFull('perplexity of every block', () => checkBlockPerplexity(model(), NAME));
  itFull('perplexity of every module', () => checkModulePerplexity(model(), NAME));
  itFull('both, screened in int8', () => checkScreenedScores(model(), NAME));
  itFull('magnitude', () => checkMagnitude(model(), NAME));
  itFull('block influence', () => checkBlockInfluence(model(), NAME));
  itFull('angular distance of every window', () => checkAngular(model(), NAME));

  // The first removal is the lowest of the sweep above; here the second, among the likeliest.
  itFull('the second greedy removal', async () => {
    const { greedy, ppl } = goldenImportance(NAME);
    const [{ block }] = greedy.removals;
    const view = viewWithout(model().architecture.layers.length, [{ block }]);
    const options = { view, count: 1, candidates: ppl.order.slice(0, 8) };
    const { full: before, removals } = await scoreGreedy(model(), calibrationRows(NAME), options);
    checkGreedyRemoval({ ...before, block }, NAME, 0);
    checkGreedyRemoval(removals[0], NAME, 1);
  });
  itFull('all greedy removals', () => checkGreedyRemovals(model(), NAME));
  itFull('all greedy removals, screened in int8', () => checkScreenedRemovals(model(), NAME));

  itFull('greedy text, full and pruned', () => checkGreedyIds(model(), NAME, { nearTie: 1e-2, prompts: 3 }));

  describe('perplexity of WikiText-2, first 64 windows', () => {
    const { removed, full: whole, pruned } = goldenPerplexities();
    let ids: number[];
    before(async () => {
      if (!full) return; // all are in test:full
      // 64 windows are the first 8 192 tokens; encoding the whole text would take longer than evaluating it.
      const text = readFileSync(shared('data/wikitext2/wiki.test.raw.hf-joined.txt'), 'utf8').slice(0, 60_000);
      ids = await (await loadTokenizer(smollm2Folder())).encode(text, { addSpecialTokens: false });
    });
    for (const [title, expectations, blocks] of [
      ['full', whole, []],
      ['pruned', pruned, removed],
    ] as const) {
      for (const golden of expectations) {
        // How each mode cuts the text is proven on small models too.
        itFull(`--bos ${golden.mode}, ${title}`, async () => {
          const { window, windows: limit, mode: bos } = golden;
          const parts = blocks.map((block) => ({ block }));
          const view = viewWithout(model().architecture.layers.length, parts);
          checkPerplexity(await evaluatePerplexity(model(), ids, { window, bos, limit, view }), golden);
        });
      }
    }
  });
});

/** SHA-256 of the bytes of every tensor. */
async function digests(folder: string): Promise<Map<string, string>> {
  const { tensors } = await openCheckpoint(folder);
  const data = readFileSync(join(folder, 'model.safetensors'));
  const digest = (offset: number, bytes: number): string =>
    createHash('sha256')
      .update(data.subarray(offset, offset + bytes))
      .digest('hex');
  const stored = [...tensors.values()].map(storedTensor);
  return new Map(stored.map(({ name, offset, bytes }) => [name, digest(offset, bytes)]));
}

function checkPerplexity(actual: Perplexity, golden: { windows: number; tokens: number; meanNll: number }): void {
  assertClose(actual.windows, golden.windows, { absolute: 0 }, 'windows');
  assertClose(actual.tokens, golden.tokens, { absolute: 0 }, 'tokens');
  assertClose(actual.meanNll, golden.meanNll, TOLERANCE.meanNll, 'mean NLL');
}
