/** Models with other blocks than those of attention and a dense FFN: they are healed; each job that cannot take them says which. */
import assert from 'node:assert/strict';
import { spellingOf } from '../../../src/engine/checkpoint/gguf/spelling';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { heal } from '../../../src/engine/heal/heal';
import { requireHealable } from '../../../src/engine/heal/healable';
import { requireReachable } from '../../../src/engine/importance/width/measure';
import type { Progress } from '../../../src/engine/progress';
import { assertClose } from '../../support/close';
import { checkpointFolder, type GoldenName } from '../../support/golden';
import { viewOf } from '../../support/healing';
import { withModelOf } from '../../support/model';
import { randomRows } from '../../support/random';
import { describeShared, itFull } from '../../support/shared';

/** What blocks of these have, in words, and one that is left out. */
const OTHERS: readonly (readonly [toy: GoldenName, has: RegExp, removed: string])[] = [
  ['families3/qwen3moe-norm', /blocks of it have experts/, '4'],
  ['families3/lfm2-conv', /blocks of it have a short convolution/, '4'],
  ['families3/granite4-dense', /blocks of it have gate and up in one matrix/, '4'],
  ['families3/qwen35-text', /blocks of it have a gated delta net/, '4'],
  ['families3/granite4-hybrid', /blocks of it have Mamba/, '4'],
  ['families3/falconh1-parallel', /blocks of it have attention beside Mamba/, '2'],
];

type Refit = readonly [block: number, tensor: string, before: number, after: number, norm: number, beside?: number];

/**
 * Steps of a refit without a block: Σ R² before and after, and the norms of the new weights. By NumPy in float64 from the definitions
 * of the blocks and of the refit, token by token. Experts stay, so of qwen3moe-norm only attention and the one dense FFN are
 * corrected; falconh1-parallel's attention and Mamba are solved for at once.
 */
const REFITS: readonly (readonly [toy: GoldenName, removed: string, steps: readonly Refit[]])[] = [
  [
    'families3/granite4-hybrid',
    '4',
    [
      [3, 'down_proj', 1969876.77, 1844873.88, 18.3490752],
      [5, 'o_proj', 2067390.03, 1880236.62, 12.4585437],
      [5, 'down_proj', 2893189.56, 2768951.37, 7.72547187],
      [6, 'o_proj', 3088912.48, 2788930.01, 13.401395],
      [6, 'down_proj', 4769966.61, 4538425.35, 7.47954459],
      [7, 'o_proj', 4578884.86, 4407033.76, 16.2947539],
      [7, 'down_proj', 5351445.46, 5125251.5, 8.63006528],
    ],
  ],
  [
    'families3/qwen3moe-norm',
    '3',
    [
      [2, 'down_proj', 44738.7442, 39576.92, 11.0352622],
      [4, 'o_proj', 40844.1064, 34085.1569, 10.1587896],
      [5, 'o_proj', 51934.6155, 46827.4096, 13.3334818],
      [6, 'o_proj', 140445.593, 131955.861, 11.0919234],
    ],
  ],
  [
    'families3/falconh1-parallel',
    '2',
    [
      [1, 'down_proj', 56420293.2, 49753048.7, 42.6697423],
      [3, 'o_proj', 50080031.5, 46810963, 25.7209181, 21.7045453],
      [3, 'down_proj', 46831146.3, 44874879.2, 53.2060419],
      [4, 'o_proj', 47692265, 44928870.7, 16.7080502, 11.2233051],
      [4, 'down_proj', 45028541.6, 43179015.3, 37.1698632],
      [5, 'o_proj', 80826726.6, 67679725.8, 14.5061323, 9.12074477],
      [5, 'down_proj', 68036804.4, 65232171.5, 25.9043117],
    ],
  ],
];

describeShared('other blocks', () => {
  for (const [toy, has, removed] of OTHERS) {
    it(`${toy} is refused by what its blocks have`, async () => {
      const checkpoint = await openCheckpoint(checkpointFolder(toy));
      const architecture = requireArchitecture(checkpoint);
      const refused = { name: 'UserError', message: has };
      assert.throws(() => requireReachable(architecture, { method: 'flap' }, { ratio: 0.2 }), refused);
    });

    // A refit of the others is compared with numbers below.
    const test = REFITS.some(([other]) => other === toy) ? itFull : it;
    test(`${toy} is healed: nearer to the original, on rows that were not fitted too`, async () => {
      const checkpoint = await openCheckpoint(checkpointFolder(toy));
      await withModelOf(checkpoint, async (model) => {
        const view = viewOf(model.architecture.layers.length, removed);
        const { steps, fit, heldOut } = await heal(model, view, randomRows(24, 40, 288, 5), {
          method: 'refit',
          heldOut: randomRows(8, 40, 288, 6),
        });
        assert.ok(steps.length > 0 && steps.every(({ errorBefore, errorAfter }) => errorAfter! <= errorBefore!));
        for (const likeness of [fit!, heldOut!]) assert.ok(likeness.after.kl < likeness.before.kl);
      });
    });
  }

  for (const [toy, removed, expected] of REFITS) {
    it(`a refit of ${toy} is that of NumPy in float64`, async () => {
      await withModelOf(await openCheckpoint(checkpointFolder(toy)), async (model) => {
        const view = viewOf(model.architecture.layers.length, removed);
        const seen: Progress[] = [];
        const job = { onProgress: (progress: Progress): unknown => seen.push(progress) };
        const options = { method: 'refit', measure: false } as const;
        const { steps } = await heal(model, view, randomRows(24, 40, 288, 5), options, job);
        const { done, total } = seen.at(-1)!;
        assertClose(done, total, { relative: 1e-9 }, 'progress at the end');
        assert.equal(steps.length, expected.length);
        for (const [i, [block, tensor, errorBefore, errorAfter, norm, beside]] of expected.entries()) {
          const step = steps[i];
          assert.deepEqual([step.block, step.tensor], [block, tensor]);
          assertClose(step.errorBefore!, errorBefore, { relative: 2e-6 }, `${block}, ${tensor}: error before`);
          assertClose(step.errorAfter!, errorAfter, { relative: 2e-6 }, `${block}, ${tensor}: error after`);
          assertClose(step.weight!.norm, norm, { relative: 2e-6 }, `${block}, ${tensor}: weight`);
          assert.equal(step.besideWeight === undefined, beside === undefined);
          if (beside !== undefined)
            assertClose(step.besideWeight!.norm, beside, { relative: 2e-6 }, `${block}, ${tensor}: Mamba's weight`);
        }
      });
    });
  }

  it('the new weights of Mamba beside attention give the stream that was fitted, whatever the method', async () => {
    await withModelOf(await openCheckpoint(checkpointFolder('families3/falconh1-parallel')), async (model) => {
      for (const [method, ridge] of [['refit', 1], ['fold'], ['scalar']] as const) {
        const view = viewOf(model.architecture.layers.length, '2.ffn,4');
        const { patches, fit } = await heal(model, view, randomRows(12, 40, 288, 5), { method, ridge });
        const names = new Set(patches.map(([key]) => (typeof key === 'object' ? key.name : key)));
        assert.ok(names.has('o') && names.has('ssmOut'), method);
        // The healed stream is that of the walk, the rounded one that of the new weights.
        assertClose(fit!.rounded.kl, fit!.after.kl, { relative: 0.02 }, method);
        assert.notEqual(fit!.after.kl, fit!.before.kl, method);
      }
    });
  });

  it('experts before the last cut leave nothing to correct', async () => {
    await withModelOf(await openCheckpoint(checkpointFolder('families3/mixtral-top2')), async (model) => {
      const view = viewOf(model.architecture.layers.length, '5');
      const { steps, patches, fit } = await heal(model, view, randomRows(4, 20, 288, 5), { method: 'refit' });
      assert.deepEqual([steps, patches], [[], []]);
      assert.deepEqual(fit!.after, fit!.before);
    });
  });

  it('experts are not folded, and beside attention without rotation not written as GGUF', async () => {
    const named = (toy: GoldenName) => openCheckpoint(checkpointFolder(toy)).then(requireArchitecture);
    const architecture = await named('families3/granite4-hybrid');
    for (const method of ['fold', 'scalar'] as const) {
      const refused = { name: 'UserError', message: /experts, which healing leaves as they are/ };
      for (const each of [architecture, await named('families3/olmoe-clip')]) {
        assert.throws(() => requireHealable(each, method), refused);
      }
    }
    const { mixer } = architecture.layers.find((layer) => layer.mixer.kind === 'attention')!;
    const attending = { ...architecture, layers: architecture.layers.map(({ ffn }) => ({ mixer, ffn })) };
    assert.throws(() => spellingOf(attending), { name: 'UserError', message: /does not rotate queries and keys/ });
  });
});
