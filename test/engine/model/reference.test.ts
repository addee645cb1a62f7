/**
 * The engine against the float64 forward of test/reference, over checkpoints that the tests write: every family and
 * feature, without anything beside the repository.
 */
import { beginningOf } from '../../../src/engine/tokenizer/bos';
import { evaluationWindows } from '../../../src/engine/evaluate/windows';
import { fullView, type RemovedPart, stepsOf, viewWithout } from '../../../src/engine/model/view';
import { loadReference, referenceForward } from '../../reference/forward';
import { referenceLoss } from '../../reference/measures';
import { assertAllClose, assertClose } from '../../support/close';
import { calibrationRows } from '../../support/golden';
import { decodedLogits, describedModel, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { checkForward, checkGreedyText, checkSweep } from '../../support/reference-checks';
import { describeShared, full, itFull, shared } from '../../support/shared';
import { RAGGED_MODELS, TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';
import { evaluatePerplexity } from '../../support/measuring';

const VOCABULARY = 288;

describe('engine against the float64 reference', () => {
  for (const [i, name] of [...TINY_MODELS, ...RAGGED_MODELS].entries()) {
    describe(name, () => {
      const folder = tinyCheckpoint(name);
      const model = describedModel(() => folder);
      const reference = loadReference(folder);
      const { blocks } = reference.config;
      const rows = randomRows(2, 24, VOCABULARY, 7);
      const swept = full ? rows : rows.slice(1);
      const tokens = full ? 12 : 8;

      it('logits and residual stream', () => checkForward(model(), reference, rows));
      // The sweep over modules meets every sum that the sweep over blocks does.
      const blockwise = i % 4 === 0 ? it : itFull;
      blockwise('losses without each block', () => checkSweep(model(), reference, swept, stepsOf(fullView(blocks))));
      it('losses without each module', () => checkSweep(model(), reference, swept, stepsOf(fullView(blocks), true)));
      it('greedy text, whole, without a block and without modules', async () => {
        const prompt = rows[0].slice(0, name === 'llama-dynamic' ? 4 : 10); // its text may have 16 tokens
        const text = (removed: readonly RemovedPart[]) => checkGreedyText(model(), reference, prompt, tokens, removed);
        if (full) await text([]);
        if (full) await text([{ block: 1 }]);
        if (full)
          await text([
            { block: 0, part: 'ffn' },
            { block: 2, part: 'attention' },
          ]);
        else await text([{ block: 0, part: 'ffn' }, { block: 1 }]);
      });
    });
  }

  it('perplexity of a text in the three BOS modes, full and pruned', async () => {
    const folder = tinyCheckpoint('qwen2-layer-types');
    const reference = loadReference(folder);
    const [ids] = randomRows(1, 70, VOCABULARY, 8);
    await withModel(folder, async (model) => {
      for (const bos of ['stream', 'window', 'none'] as const) {
        for (const view of [fullView(4), viewWithout(4, [{ block: 1 }, { block: 3, part: 'ffn' }])]) {
          const settings = { window: 16, bos, limit: 3 };
          const { bosTokenId } = model.architecture;
          const beginning = beginningOf(bos, { tokenizer: undefined, bosTokenId });
          const { rows } = evaluationWindows(ids, { ...settings, beginning });
          const expected = referenceLoss(
            reference,
            rows.map((row) => [...row]),
            view,
          );
          const { meanNll } = await evaluatePerplexity(model, ids, { ...settings, view });
          assertClose(meanNll, expected.meanNll, { absolute: 1e-5 }, bos);
        }
      }
    });
  });

  it('a prompt of more tokens than one run takes, in a window and without', async () => {
    for (const name of ['mistral-window', 'llama-gqa-tied'] as const) {
      const folder = tinyCheckpoint(name, { config: { max_position_embeddings: 512, num_hidden_layers: 2 } });
      const [ids] = randomRows(1, 300, VOCABULARY, 9);
      const [logits] = await withModel(folder, (model) => decodedLogits(model, [ids]));
      const expected = referenceForward(loadReference(folder), ids).logits[299];
      assertAllClose(logits, expected, { absolute: 1e-4 }, name);
    }
  });

  it('a vocabulary that the head takes in pieces', async () => {
    const config = { vocab_size: 6500, num_hidden_layers: 1, hidden_size: 32, head_dim: 16 };
    for (const name of ['llama-plain', 'llama-gqa-tied'] as const) {
      const folder = tinyCheckpoint(name, { config });
      const rows = randomRows(2, 16, 6500, 10);
      rows[0].splice(1, 4, 6143, 6144, 0, 6499); // the edges of the pieces as targets
      await withModel(folder, (model) => checkSweep(model, loadReference(folder), rows, stepsOf(fullView(1))));
    }
  });

  it('more rows than one run takes', async () => {
    const folder = tinyCheckpoint('llama3-rope', { config: { num_hidden_layers: 2 } });
    const rows = randomRows(90, 16, VOCABULARY, 11); // 80 rows of 16 tokens are a run
    await withModel(folder, (model) => checkSweep(model, loadReference(folder), rows, stepsOf(fullView(2))));
  });
});

describeShared('stories260K in BF16 against float64 over its own weights', () => {
  const folder = shared('models/stories260K-bf16');
  const model = describedModel(() => folder);
  const reference = loadReference(folder);
  const rows = calibrationRows('stories260K').slice(0, 1);

  it('logits and residual stream', () => checkForward(model(), reference, rows));
  itFull('losses without each block', () =>
    checkSweep(model(), reference, rows, stepsOf(fullView(reference.config.blocks))),
  );
  itFull('greedy text, full and pruned', async () => {
    const prompt = rows[0].slice(0, 8);
    await checkGreedyText(model(), reference, prompt, 16, []);
    await checkGreedyText(model(), reference, prompt, 16, [{ block: 2 }]);
  });
});
