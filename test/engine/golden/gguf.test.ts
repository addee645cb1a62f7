/**
 * Models in GGUF files against PyTorch in float64 on the dequantized weights: every type that llama.cpp's quantizer wrote, and
 * its conversions of six families. One that is not quantized has the golden numbers of the checkpoint it was made from.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { generate } from '../../../src/engine/evaluate/generate';
import { decodedLogits, describedModel, withModel } from '../../support/model';
import { assertAllClose, assertClose } from '../../support/close';
import { testGoldenNumbers } from '../../support/golden-suite';
import { checkLora } from '../../support/golden-training';
import { checkTaylor } from '../../support/golden-checks';
import { describeShared, itFull, shared } from '../../support/shared';

interface Golden {
  readonly promptIds: readonly number[];
  /** Greedy. */
  readonly ids: readonly number[];
  /** Of the first ids, after the prompt. */
  readonly logits: readonly number[];
  readonly logSumExp: number;
  /** Mean over the prompt's own tokens, from the second on. */
  readonly nll: number;
}

/** Float32 sums in another order; the file rounds to 5e-7. */
const TOLERANCE = { absolute: 1e-4 };

describeShared('models in GGUF files', function () {
  this.timeout('5m');
  const golden = JSON.parse(readFileSync(shared('golden/gguf/models.json'), 'utf8')) as Record<
    string,
    readonly Golden[]
  >;

  for (const [file, texts] of Object.entries(golden)) {
    it(`${basename(file)} computes and continues texts as PyTorch does`, async () => {
      await withModel(shared('models', file), async (model) => {
        for (const { promptIds, ids, logits, logSumExp, nll } of texts) {
          const found = await decodedLogits(
            model,
            promptIds.map((id) => [id]),
          );
          const last = found[found.length - 1];
          assertAllClose([...last.subarray(0, logits.length)], logits, TOLERANCE, 'logits');
          assertClose(logSumExpOf(last), logSumExp, TOLERANCE, 'log-sum-exp');
          const losses = promptIds.slice(1).map((id, i) => logSumExpOf(found[i]) - found[i][id]);
          assertClose(losses.reduce((a, b) => a + b) / losses.length, nll, TOLERANCE, 'mean loss');
          const written = await generate(model, promptIds, { maxNewTokens: ids.length, greedy: true, ignoreEos: true });
          assert.deepEqual(written.ids, ids);
        }
      });
    });
  }

  describe('stories260K in float32', () => {
    const model = describedModel(() => shared('models/stories260K-gguf/stories260K-f32.gguf'));
    testGoldenNumbers(model, 'stories260K', 'files');
    itFull('Taylor scores', () => checkTaylor(model(), 'stories260K'));
    itFull('a LoRA run, and its adapter merged', () => checkLora(model(), 'stories260K'));
  });
});

function logSumExpOf(logits: Float32Array): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  return most + Math.log(logits.reduce((sum, each) => sum + Math.exp(each - most), 0));
}
