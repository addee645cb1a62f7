/** The float64 reference is itself checked: against golden numbers of PyTorch where they are, and by laws it must obey. */
import assert from 'node:assert/strict';
import { loadReference, logSumExp, referenceForward } from '../reference/forward';
import { argmax, meanNorm, referenceGreedy, referenceLoss, referenceView } from '../reference/measures';
import { assertAllClose, assertClose } from '../support/close';
import {
  FAMILIES,
  FURTHER_FAMILIES,
  SHORT_ROWS,
  calibrationRows,
  checkpointFolder,
  goldenGreedy,
  goldenImportance,
  goldenLogits,
  type GoldenName,
} from '../support/golden';
import { randomRows } from '../support/random';
import { describeShared, full } from '../support/shared';
import { TINY_MODELS, tinyCheckpoint } from '../support/tiny-models';

/** The golden numbers come from float64 with norms, angles and softmax in float32, which leaves a little noise. */
const LOGIT_NOISE = { absolute: 2e-5 };
const LOSS_NOISE = { absolute: 2e-6 };

/** More where angles are larger, as golden/families2/README.md gives it. */
function logitNoise(name: GoldenName): { readonly absolute: number } {
  if (name.includes('longrope')) return { absolute: 1e-4 };
  return /phi3|olmo2|smollm3|yarn|dynamic/.test(name) ? { absolute: 3e-5 } : LOGIT_NOISE;
}

describeShared('float64 reference against golden numbers', () => {
  const names: GoldenName[] = [
    ...FAMILIES.map((family) => `families/${family}` as const),
    ...FURTHER_FAMILIES.map((family) => `families2/${family}` as const),
    ...SHORT_ROWS.map((family) => `families2/${family}-short` as const),
    'stories260K',
  ];
  for (const name of names) {
    describe(name, () => {
      const model = loadReference(checkpointFolder(name));
      const { blocks } = model.config;

      it('logits, log-sum-exp and residual norms', () => {
        const golden = goldenLogits(name);
        const noise = logitNoise(name);
        golden.rows.forEach((ids, row) => {
          const { logits, residuals } = referenceForward(model, ids);
          golden.positions.forEach((position, p) => {
            const chosen = golden.vocabularyIds.map((id) => logits[position][id]);
            assertAllClose(chosen, golden.logits[row][p], noise, `row ${row}, position ${position}`);
            assertClose(logSumExp(logits[position]), golden.logSumExp[row][p], noise, 'log-sum-exp');
            assert.equal(argmax(logits[position]), golden.argmax[row][p]);
          });
          assertAllClose(residuals.map(meanNorm), golden.residualNorms[row], { relative: 1e-6 }, 'residual norms');
        });
      });

      it('losses, whole and with a block, an attention or an FFN left out', () => {
        const golden = goldenImportance(name);
        const rows = calibrationRows(name).slice(0, full ? undefined : 1);
        const check = (actual: readonly number[], expected: readonly number[]): void =>
          assertAllClose(actual, expected.slice(0, rows.length), LOSS_NOISE, 'row losses');
        check(referenceLoss(model, rows).rows, golden.full.rows);
        const block = blocks - 2;
        const without = referenceView(blocks, { blocks: [block] });
        check(referenceLoss(model, rows, without).rows, golden.ppl.blocks[block].rows);
        if (!full || name.endsWith('-short')) return; // module losses are given over all rows only
        for (const { part, meanNll } of golden.modules.modules.filter((module) => module.block === block)) {
          const view = referenceView(blocks, { [part]: [block] });
          assertClose(referenceLoss(model, rows, view).meanNll, meanNll, LOSS_NOISE, part);
        }
      });

      if (name.endsWith('-short')) return; // logits and losses alone
      (full || name === 'stories260K' ? it : it.skip)('greedy ids', () => {
        const golden = goldenGreedy(name);
        const newTokens = full ? golden.newTokens : 8;
        const { promptIds, ids } = golden.pruned[0];
        const view = referenceView(blocks, { blocks: golden.removed });
        assert.deepEqual(referenceGreedy(model, promptIds, newTokens, view).ids, ids.slice(0, newTokens));
      });
    });
  }
});

describe('float64 reference on toy checkpoints', () => {
  for (const name of TINY_MODELS) {
    it(`${name}: is causal, every block matters, and leaving out a block is leaving out its two parts`, () => {
      const model = loadReference(tinyCheckpoint(name));
      const { blocks } = model.config;
      const [ids] = randomRows(1, 24, 288, 5);
      const whole = referenceForward(model, ids);
      // Where the rotation changes with the length, positions within 16 tokens turn alike in any longer text.
      const [short, long] = name === 'phi3-longrope' ? [17, 24] : [16, name === 'llama-dynamic' ? 16 : 24];
      const [part, rest] = [short, long].map((length) => referenceForward(model, ids.slice(0, length)).logits);
      assertAllClose(part[short - 1], rest[short - 1], { absolute: 0 }, 'causal');
      for (let block = 0; block < blocks; block++) {
        const without = referenceForward(model, ids, referenceView(blocks, { blocks: [block] }));
        const parts = referenceView(blocks, { attention: [block], ffn: [block] });
        assert.deepEqual(referenceForward(model, ids, parts).logits, without.logits);
        assert.equal(without.residuals[block + 1], without.residuals[block]);
        const change = without.logits[23].map((logit, i) => Math.abs(logit - whole.logits[23][i]));
        assert.ok(Math.max(...change) > 0.05, `block ${block} does nothing`);
      }
    });
  }

  it('a window hides what lies before it', () => {
    const model = loadReference(tinyCheckpoint('mistral-window', { config: { num_hidden_layers: 1 } }));
    const [ids] = randomRows(1, 12, 288, 6);
    const changed = [(ids[0] + 1) % 288, ...ids.slice(1)];
    const [a, b] = [ids, changed].map((row) => referenceForward(model, row).logits);
    assert.deepEqual(a[7], b[7]); // a window of 7: position 7 sees 1 … 7
    assert.notDeepEqual(a[6], b[6]);
  });
});
