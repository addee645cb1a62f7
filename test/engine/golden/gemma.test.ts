/**
 * Gemma 3 270M, a real model whose texts begin with BOS, from a GGUF file of K types, against stock transformers in float64.
 * With 262 144 tokens its head is most of the work, so `npm test` takes its logits alone.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { loadRows } from '../../../src/engine/evaluate/rows';
import { DEFAULT_SEED } from '../../../src/engine/importance/drawing';
import { viewWithout } from '../../../src/engine/model/view';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { assertClose, assertSameOrder, TOLERANCE } from '../../support/close';
import { calibrationRows, goldenDrawn, goldenGreedy, goldenTokens } from '../../support/golden';
import {
  checkBlockPerplexity,
  checkGreedyIds,
  checkLogits,
  checkResidualNorms,
  checkSomeBlocks,
} from '../../support/golden-checks';
import { runOn } from '../../support/jobs';
import { itLlamaCppFull } from '../../support/llamacpp';
import { checkLossOfLlamaCpp } from '../../support/llamacpp-loss';
import { describedModel } from '../../support/model';
import { describeShared, gemma3Gguf, itFull, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { checkTokens } from '../../support/token-checks';

const NAME = 'gemma-3-270m';

describeShared('golden numbers of Gemma 3 270M', function () {
  this.timeout('10m');
  const model = describedModel(gemma3Gguf);

  itFull('ids and texts', async () => {
    const tokenizer = await loadLocalTokenizer(gemma3Gguf());
    for (const golden of goldenTokens(NAME)) checkTokens(tokenizer, golden);
  });
  it('logits, log-sum-exp and arg max', () => checkLogits(model(), NAME));
  itFull('residual norms', () => checkResidualNorms(model(), NAME));
  itFull('perplexity of a row', () => checkSomeBlocks(model(), NAME, [], 1));
  itFull('perplexity of every block', () => checkBlockPerplexity(model(), NAME));

  describe('a text with all defaults', () => {
    const drawing = { samples: 5, length: 128 };
    const text = shared('data/prose/sherlock.txt');

    itFull('gives the rows of the reference, each with BOS first', async () => {
      const checkpoint = await openCheckpoint(gemma3Gguf());
      const source = { from: 'calibration', file: text, ...drawing, seed: DEFAULT_SEED } as const;
      const { rows, bos } = await loadRows(source, checkpoint, requireArchitecture(checkpoint), {});
      assert.deepEqual(
        rows.map((row) => Array.from(row)),
        goldenDrawn(NAME).rows,
      );
      assert.equal(bos, 'window');
      assert.ok(rows.every((row) => row[0] === 2));
    });

    itFull('gives its order of all blocks', async () => {
      const { result } = await runOn('score', { checkpoint: gemma3Gguf(), calibration: text, ...drawing });
      const whole = result.full!;
      const { full, ppl } = goldenDrawn(NAME);
      assert.ok(whole.ppl < 60, 'it fits the text');
      assertClose(whole.meanNll, full.meanNll, TOLERANCE.meanNll, 'the whole model');
      const losses = ppl.blocks.map(({ meanNll }) => meanNll);
      assertSameOrder(result.order as number[], ppl.order, losses, TOLERANCE.meanNll.absolute);
    });
  });

  itFull('greedy text', () => checkGreedyIds(model(), NAME, { nearTie: 1e-2, kinds: ['full'] }));
  itFull('greedy text, pruned', () => checkGreedyIds(model(), NAME, { nearTie: 1e-2, kinds: ['pruned'] }));

  itLlamaCppFull('llama.cpp has the loss of a pruned file, but for rounded activations', async () => {
    const { removed } = goldenGreedy(NAME);
    const out = join(temporaryFolder(), 'short.gguf');
    const checkpoint = gemma3Gguf();
    await runOn('export', { checkpoint, format: 'gguf', remove: [...removed], out, verify: false });
    const rows = calibrationRows(NAME).slice(0, 1);
    const view = viewWithout(
      model().architecture.layers.length,
      removed.map((block) => ({ block })),
    );
    await checkLossOfLlamaCpp(out, model(), rows, view);
  });
});
