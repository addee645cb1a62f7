/** Healing of families that multiply what modules add, and the choice of blocks where norms stand behind modules. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { heal, type HealOptions } from '../../../src/engine/heal/heal';
import { scoreHealed } from '../../../src/engine/importance/criteria/healed';
import { loadReference } from '../../reference/forward';
import { assertClose, assertGradientClose } from '../../support/close';
import { HEAL_TOLERANCE } from '../../support/heal-checks';
import { checkHealing, patchedTensors, viewOf } from '../../support/healing';
import { runOn } from '../../support/jobs';
import { withModel } from '../../support/model';
import { llamaAndGranite, weightFactor } from '../../support/same-model';
import { randomRows } from '../../support/random';
import { itFull, itShared, shared } from '../../support/shared';

const METHODS: readonly HealOptions[] = [
  { method: 'refit' },
  { method: 'refit', ridge: 'auto' },
  { method: 'fold' },
  { method: 'scalar' },
];

describe('healing of a model that multiplies what its modules add', () => {
  const { llama, granite } = llamaAndGranite();
  /** A refit of few rows applies each Linear twice, one of many sums products. */
  const few = randomRows(6, 12, 288, 41);
  const many = randomRows(20, 16, 288, 42);
  const cut = viewOf(4, '1,2.attention');

  for (const options of METHODS) {
    it(`gives the weights of the same model without factors: ${options.method}, ${options.ridge ?? 'by rule'}`, () =>
      withModel(llama, (plain) =>
        withModel(granite, async (multiplied) => {
          for (const rows of [few, many]) {
            const [expected, found] = [
              await heal(plain, cut, rows, options),
              await heal(multiplied, cut, rows, options),
            ];
            for (const [i, { errorBefore = 0, errorAfter = 0 }] of expected.steps.entries()) {
              const step = found.steps[i];
              assertClose(step.errorBefore ?? 0, errorBefore, { relative: 1e-5 }, 'error before');
              assertClose(step.errorAfter ?? 0, errorAfter, { relative: 1e-5 }, 'error after');
            }
            const weights = patchedTensors(multiplied, found.patches);
            const others = patchedTensors(plain, expected.patches);
            assert.ok(others.size > 0);
            assert.deepEqual([...weights.keys()], [...others.keys()]);
            for (const [name, { values }] of others) {
              const factor = weightFactor(name);
              const wanted = Array.from(values, (value) => value * factor);
              assertGradientClose(weights.get(name)!.values, wanted, 1e-5, name);
            }
            for (const stage of ['before', 'after', 'rounded'] as const) {
              assertClose(found.fit![stage].kl, expected.fit![stage].kl, { absolute: 1e-5 }, stage);
            }
          }
        }),
      ));
  }

  it('and folds the same candidates', () =>
    withModel(llama, (plain) =>
      withModel(granite, async (multiplied) => {
        const options = { count: 2, candidates: [0, 1, 2, 3] };
        const [expected, found] = [await scoreHealed(plain, few, options), await scoreHealed(multiplied, few, options)];
        const [wanted, got] = [expected.removals, found.removals];
        assert.equal(got.length, 2);
        for (const [i, { block, kl }] of wanted.entries()) {
          assert.equal(got[i].block, block);
          assertClose(got[i].kl!, kl!, { absolute: 1e-5 }, `without ${block}`);
        }
      }),
    ));
});

/** The toys without norms behind modules: a norm's offset, GELU, factors, a part of a head that turns, blocks without rotation. */
const TOYS = ['granite-multipliers', 'gemma-tied', 'phi3-partial', 'smollm3-nope', 'llama-yarn'] as const;

describe('healing of the further families against the float64 reference', () => {
  for (const [i, name] of TOYS.entries()) {
    for (const [j, options] of METHODS.entries()) {
      // heal/reference.test.ts has a toy of each family with one of the methods.
      const test = i === 0 && j === 0 ? itShared : itFull;
      test(`${name}: ${options.method}, ${options.ridge ?? 'by rule'}`, () => {
        const folder = shared('models/families2', name);
        const reference = loadReference(folder);
        const { dtype } = reference.tensors.get('model.norm.weight')!;
        const rows = randomRows(5, 12, 320, 50 + i);
        return withModel(folder, async (model) => {
          const view = viewOf(model.architecture.layers.length, '2,4.attention');
          const { healed } = await checkHealing(model, { reference, dtype, rows, view }, options, HEAL_TOLERANCE.toys);
          assert.ok(healed.patches.length > 0);
        });
      });
    }
  }
});

describe('a family with norms behind its last Linears', () => {
  itShared('is chosen from by divergence, in turn and by search', async () => {
    const checkpoint = shared('models/families2/olmo2-postnorm');
    const given = { checkpoint, calibration: join(checkpoint, 'rows.json') };
    for (const criterion of ['kl', 'greedy', 'search'] as const) {
      const counted = criterion === 'kl' ? {} : { count: 2, objective: 'kl' as const };
      const { result } = await runOn('score', {
        ...given,
        criterion,
        ...counted,
        ...(criterion === 'search' && { generations: 1 }),
      });
      assert.ok((result.full?.ppl ?? 0) > 1 || result.search, criterion);
    }
  });
});
