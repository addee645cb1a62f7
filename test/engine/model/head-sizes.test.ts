/**
 * Heads of every width that a config can ask for, against the float64 forward: onnxruntime's fused attention takes
 * multiples of 8 alone, and rotates multiples of 16 alone. Caps and factors of scores and heads that turn in part go through
 * it too.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { measure } from '../../../src/engine/evaluate/measure';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { scoreTaylor } from '../../../src/engine/importance/criteria/taylor';
import { fullView, stepsOf } from '../../../src/engine/model/view';
import { Decoder } from '../../../src/engine/model/decoder';
import type { Model } from '../../../src/engine/model/model';
import { loadReference, referenceForward, type ReferenceModel } from '../../reference/forward';
import { referenceLoss } from '../../reference/measures';
import { makeCliMaterial, run } from '../../support/cli';
import { assertAllClose, assertClose } from '../../support/close';
import { decodedLogits, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { checkForward, checkSweep } from '../../support/reference-checks';
import { full, itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';
import { evaluatePerplexity } from '../../support/measuring';

const VOCABULARY = 288;
const FAMILIES: readonly TinyName[] = ['llama-plain', 'mistral-window', 'qwen3-qknorm'];
const STYLED: readonly TinyName[] = ['gemma2-softcap', 'phi3-partial', 'granite-multipliers'];

describe('heads of every width', () => {
  for (const [i, head_dim] of [2, 4, 6, 8, 10, 12, 16, 20, 24, 36, 40, 64, 80, 96, 100, 128, 256].entries()) {
    for (const [j, family] of FAMILIES.entries()) {
      // Each family meets widths that are multiples of 16, and of 8 alone or others.
      const test = full || (i % 2 === 0 && (i + j) % FAMILIES.length === 0) ? it : itFull;
      test(`${head_dim} numbers a head, ${family}: forward, sweep, modules, cached decoding`, async () => {
        const folder = tinyCheckpoint(family, { config: { head_dim, num_hidden_layers: 2 } });
        const reference = loadReference(folder);
        const rows = randomRows(2, 20, VOCABULARY, 7);
        await withModel(folder, async (model) => {
          assert.ok(model.architecture.layers.map(plainShape).every(({ headDim }) => headDim === head_dim));
          await checkForward(model, reference, rows);
          await checkSweep(model, reference, rows, stepsOf(fullView(2)));
          await checkSweep(model, reference, rows, stepsOf(fullView(2), true));
        });
      });
    }
  }

  // Caps and factors of scores, and heads that turn in part, by the same kinds of width.
  for (const [i, head_dim] of [4, 8, 12, 16, 20, 40, 64, 96, 256].entries()) {
    for (const [j, family] of STYLED.entries()) {
      const test = i % 2 === 0 && (i + j) % STYLED.length === 0 ? it : itFull;
      test(`${head_dim} numbers a head, ${family}: forward, sweep, prompts, several texts`, async () => {
        const folder = tinyCheckpoint(family, { config: { head_dim, num_hidden_layers: 2, sliding_window: 7 } });
        const reference = loadReference(folder);
        const [text, ...others] = randomRows(4, 20, VOCABULARY, 14);
        await withModel(folder, async (model) => {
          assert.ok(model.architecture.layers.map(plainShape).every(({ headDim }) => headDim === head_dim));
          await checkForward(model, reference, [text, others[0]]);
          await checkSweep(model, reference, [text], stepsOf(fullView(2), true));
          const { logits } = referenceForward(reference, text);
          for (const [p, row] of (await decodedLogits(model, [text.slice(0, 11), text.slice(11)])).entries()) {
            assertAllClose(row, logits[[10, 19][p]], { absolute: 5e-5 }, `prompt ${p}`);
          }
          await checkSideBySide(model, reference, others);
        });
      });
    }
  }

  for (const head_dim of [4, 12]) {
    const config = { head_dim, num_hidden_layers: 2, max_position_embeddings: 512 };

    it(`${head_dim}: a prompt of several runs, and a cache that grows`, async () => {
      const folder = tinyCheckpoint('mistral-window', { config });
      const [ids] = randomRows(1, 300, VOCABULARY, 9);
      const [, logits] = await withModel(folder, (model) => decodedLogits(model, [ids.slice(0, 290), ids.slice(290)]));
      assertAllClose(logits, referenceForward(loadReference(folder), ids).logits[299], { absolute: 1e-4 }, 'logits');
    });

    it(`${head_dim}: several texts side by side`, async () => {
      const folder = tinyCheckpoint('llama-plain', { config });
      const reference = loadReference(folder);
      const texts = randomRows(3, 5, VOCABULARY, 12);
      await withModel(folder, (model) => checkSideBySide(model, reference, texts));
    });

    (head_dim === 4 ? it : itFull)(
      `${head_dim}: the commands that ended with a bug of onnxruntime's`,
      async function (this: Mocha.Context) {
        this.timeout(120_000);
        const { rows } = makeCliMaterial();
        for (const family of full ? FAMILIES : FAMILIES.slice(0, 1)) {
          const model = tinyCheckpoint(family, { tokenizer: true, config: { ...config, sliding_window: 7 } });
          const calibration = ['--calibration', rows, '--device', 'cpu'];
          for (const criterion of full ? ['ppl', 'taylor', 'block-influence'] : ['taylor']) {
            const { blocks } = await run('score', model, ...calibration, '--criterion', criterion);
            for (const { score } of blocks as { score: unknown }[]) assert.ok(typeof score === 'number' && score > 0);
          }
          const { points } = await run('curve', model, ...calibration, '--no-keep-ends');
          assert.equal((points as unknown[]).length, 2);
          const { ids } = await run('generate', model, '--ids', '3,50,77', '--ignore-eos', '--max-new-tokens', '5');
          assert.equal((ids as unknown[]).length, 5);
          const out = join(temporaryFolder(), 'pruned');
          await run(
            'prune',
            model,
            ...calibration,
            '--criterion',
            'ppl',
            '--count',
            '1',
            '--no-keep-ends',
            '--out',
            out,
          );
          await run('score', out, ...calibration);
        }
      },
    );

    it(`${head_dim}: perplexity, Taylor's loss and speed`, async () => {
      const folder = tinyCheckpoint('llama-plain', { config });
      const rows = randomRows(2, 16, VOCABULARY, 13);
      const expected = referenceLoss(loadReference(folder), rows, fullView(2)).meanNll;
      await withModel(folder, async (model) => {
        assertClose((await scoreTaylor(model, rows)).meanNll, expected, { absolute: 1e-5 }, 'Taylor');
        const { meanNll } = await evaluatePerplexity(model, rows.flat(), { window: 16, bos: 'none' });
        assertClose(meanNll, expected, { absolute: 1e-5 }, 'eval');
      });
      const view = fullView(2);
      const settings = { view, promptTokens: 8, newTokens: 4, repeats: 1, seed: 1, device: 'cpu' } as const;
      const { decodeTokensPerSecond } = await measure(await openCheckpoint(folder), settings);
      assert.ok(decodeTokensPerSecond > 0);
    });
  }
});

/** Logits of several texts that grow token by token. */
async function checkSideBySide(
  model: Model,
  reference: ReferenceModel,
  texts: readonly (readonly number[])[],
): Promise<void> {
  const { length } = texts[0];
  const expected = texts.map((ids) => referenceForward(reference, ids).logits);
  const decoder = await Decoder.open(model, fullView(2), length, texts.length);
  try {
    for (let at = 0; at < length; at++) {
      const logits = await decoder.appendToEach(texts.map((ids) => ids[at]));
      for (const [t, rows] of expected.entries()) {
        const own = logits.subarray(t * VOCABULARY, (t + 1) * VOCABULARY);
        assertAllClose(own, rows[at], { absolute: 5e-5 }, `text ${t} at ${at}`);
      }
    }
  } finally {
    await decoder.close();
  }
}
