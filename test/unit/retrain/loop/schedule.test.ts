/** The learning rate: against transformers' linear schedule, and the numbers of the paper's run (Shortened LLaMA's `src/lora_retrain.py`). */
import assert from 'node:assert/strict';
import { stepsPerEpoch } from '../../../../src/engine/retrain/data/order';
import { learningRateAt } from '../../../../src/engine/retrain/loop/schedule';
import { assertClose } from '../../../support/close';

describe('retrain/schedule', () => {
  const paper = { learningRate: 1e-4, warmup: 100, steps: 2 * stepsPerEpoch(49_760, 64) };

  it('two epochs of the paper are 1554 steps', () => assert.equal(paper.steps, 1554));

  it('is get_linear_schedule_with_warmup of transformers', () => {
    for (const [step, rate] of [
      [1, 0],
      [2, 1.0000000000000002e-6],
      [51, 5e-5],
      [100, 9.900000000000001e-5],
      [101, 1e-4],
      [102, 9.993122420907842e-5],
      [777, 5.3507565337001375e-5],
      [1553, 1.375515818431912e-7],
      [1554, 6.87757909215956e-8],
    ]) {
      assertClose(learningRateAt(step, paper), rate, { relative: 1e-12 }, `step ${step}`);
    }
  });

  it('peaks once 100 steps of warm-up are done', () => {
    const rates = Array.from({ length: paper.steps }, (_, i) => learningRateAt(i + 1, paper));
    assert.equal(rates.indexOf(Math.max(...rates)), 100); // the step after the 100th
    assert.equal(Math.max(...rates), paper.learningRate);
    rates.forEach((rate, i) => assert.ok(i === 0 || (i <= 100 ? rate > rates[i - 1] : rate < rates[i - 1])));
  });

  it('without warm-up starts at the peak; with nothing but warm-up never reaches it', () => {
    assert.equal(learningRateAt(1, { learningRate: 0.5, warmup: 0, steps: 4 }), 0.5);
    assert.equal(learningRateAt(4, { learningRate: 0.5, warmup: 0, steps: 4 }), 0.125);
    assert.equal(learningRateAt(4, { learningRate: 0.5, warmup: 4, steps: 4 }), 0.375);
    assert.equal(learningRateAt(1, { learningRate: 0.5, warmup: 0, steps: 1 }), 0.5);
  });
});
