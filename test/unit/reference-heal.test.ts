/** The float64 reference of healing against PyTorch's numbers, and by laws that it must obey. */
import assert from 'node:assert/strict';
import { loadReference } from '../reference/forward';
import { referenceHeal, referenceLikeness, withTensors, type ReferenceHealing } from '../reference/heal';
import { choleskyFactor, solveSymmetric, transposedProduct, zeros } from '../reference/matrices';
import { referenceView } from '../reference/measures';
import { assertAllClose } from '../support/close';
import { calibrationRows, checkpointFolder, GOLDEN_HEALINGS, goldenHeal } from '../support/golden';
import { checkHealSteps, checkLikeness, healSettings, type HealTolerance } from '../support/heal-checks';
import { normal, randomRows } from '../support/random';
import { describeShared, full, itFull } from '../support/shared';
import { tinyCheckpoint } from '../support/tiny-models';

/** Both are float64, but stock transformers computes norms, rotary angles and softmax in float32. */
const NOISE: HealTolerance = {
  loss: 1e-6,
  sums: 1e-6,
  errors: 1e-6,
  cross: 1e-6,
  norm: 1e-6,
  dot: 1e-6,
  held: 1e-6,
  tie: 0,
};

describeShared('float64 reference of healing against PyTorch', function () {
  this.timeout(60_000);
  const golden = goldenHeal('stories260K');
  const model = loadReference(checkpointFolder('stories260K'));
  const rows = calibrationRows('stories260K');
  for (const [i, expected] of golden.cases.entries()) {
    const view = referenceView(model.config.blocks, { blocks: expected.removed });
    for (const [j, name] of GOLDEN_HEALINGS.entries()) {
      const test = full || (i === 0 && j === 1) ? it : itFull; // each takes some seconds
      test(`${name} without ${expected.removed.join(', ')}`, () => {
        const settings: ReferenceHealing = healSettings(golden, name);
        const healed = referenceHeal(model, view, rows, settings);
        assert.ok(checkHealSteps(healed.steps, expected[name]!.steps, NOISE));
        const likeness = referenceLikeness(model, rows);
        checkLikeness(likeness(healed.model, view), expected[name]!, NOISE, 'healed');
        const rounded = withTensors(model, healed.changed, Math.fround);
        checkLikeness(likeness(rounded, view), expected[name]!.rounded, NOISE, 'rounded');
      });
    }
  }
});

describe('float64 reference of healing', () => {
  const model = loadReference(tinyCheckpoint('llama-bias'));
  const { blocks } = model.config;
  const rows = randomRows(6, 12, 288, 31);
  const stepsWithout = (removed: Parameters<typeof referenceView>[1], settings: ReferenceHealing) =>
    referenceHeal(model, referenceView(blocks, removed), rows, settings).steps;
  const names = (steps: ReturnType<typeof stepsWithout>): unknown[] =>
    steps.map(({ block, tensor, removed }) => [block, tensor, ...removed]);

  it('corrects from the last module before the first cut on; blocks are the special case', () => {
    assert.deepEqual(stepsWithout({}, { method: 'refit' }), []);
    assert.deepEqual(names(stepsWithout({ blocks: [1, 2] }, { method: 'refit' })), [
      [0, 'down_proj', 1, 2],
      [3, 'o_proj'],
      [3, 'down_proj'],
    ]);
    assert.deepEqual(names(stepsWithout({ ffn: [1], blocks: [2] }, { method: 'refit' })), [
      [1, 'o_proj', '1.ffn', 2],
      [3, 'o_proj'],
      [3, 'down_proj'],
    ]);
    assert.deepEqual(names(stepsWithout({ attention: [0, 3], ffn: [3] }, { method: 'refit' })), [
      [0, 'down_proj'],
      [1, 'o_proj'],
      [1, 'down_proj'],
      [2, 'o_proj'],
      [2, 'down_proj', 3],
    ]);
    assert.deepEqual(names(stepsWithout({ attention: [2], ffn: [3] }, { method: 'fold' })), [
      [1, 'down_proj', '2.attention'],
      [3, 'o_proj', '3.ffn'],
    ]);
  });

  it('without a ridge a whole step takes away all that the products of the input with the rest tell', () => {
    // ‖R − XD‖² is least where Xᵀ(R − XD) = 0, and is then ‖R‖² − ⟨D, XᵀR⟩; a fold is a refit whose weights are TᵀW.
    const after = (method: 'refit' | 'fold', ridge: number): number => {
      const [{ errorBefore, errorAfter }] = stepsWithout({ blocks: [3] }, { method, ridge, step: 1, stepCut: 1 });
      assert.ok(errorAfter! < errorBefore!);
      return errorAfter!;
    };
    assert.ok(after('refit', 1e-9) < 1e-6, 'more channels than tokens interpolate');
    assert.ok(after('fold', 1e-9) < after('fold', 0.1) && after('fold', 0.1) < after('fold', 10));
    assert.ok(after('refit', 0.1) < after('refit', 10));
  });

  it('a factor of scalar divides every later output, its bias too', () => {
    const { steps, changed } = referenceHeal(model, referenceView(blocks, { blocks: [1] }), rows, { method: 'scalar' });
    const [{ s }] = steps;
    assert.equal(steps.length, 1);
    for (const block of [2, 3]) {
      for (const linear of ['self_attn.o_proj', 'mlp.down_proj']) {
        for (const kind of ['weight', 'bias']) {
          const name = `model.layers.${block}.${linear}.${kind}`;
          const expected = Array.from(model.tensors.get(name)!.values, (value) => value / s!);
          assertAllClose(changed.get(name)!.values, expected, { relative: 1e-12 }, name);
        }
      }
    }
    assert.equal(changed.size, 8);
  });

  it('towards another model, every module is corrected where nothing is left out', () => {
    const other = loadReference(tinyCheckpoint('llama-bias', { seed: 2 }));
    const whole = referenceView(blocks, {});
    const { steps, model: healed } = referenceHeal(model, whole, rows, { method: 'refit' }, other);
    assert.equal(steps.length, 2 * blocks);
    assert.ok(steps.every(({ errorBefore, errorAfter }) => errorAfter! < errorBefore!));
    const likeness = referenceLikeness(other, rows);
    assert.ok(likeness(healed, whole).kl < likeness(model, whole).kl);
  });

  it('solves by Cholesky factors, and refuses what is not positive definite', () => {
    const next = normal(32);
    const a = Array.from({ length: 40 }, () => Float64Array.from({ length: 30 }, next));
    const gram = transposedProduct(a, a, 30, 30);
    const l = choleskyFactor(gram);
    assertAllClose(
      l.flatMap((row, i) => gram.map((_, j) => row.reduce((sum, value, k) => sum + value * l[j][k], 0) - gram[i][j])),
      new Float64Array(900),
      { absolute: 1e-12 },
      'L Lᵀ',
    );
    const x = Array.from({ length: 30 }, () => Float64Array.from({ length: 3 }, next));
    const solved = solveSymmetric(gram, transposedProduct(gram, x, 30, 3));
    for (const [i, row] of solved.entries()) assertAllClose(row, x[i], { absolute: 1e-10 }, `row ${i}`);
    assert.throws(() => choleskyFactor(zeros(3, 3)), /not positive definite/);
  });
});
