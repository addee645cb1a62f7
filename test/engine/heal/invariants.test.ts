/** Laws of healing: what must not change its numbers, and what its numbers say. */
import assert from 'node:assert/strict';
import { CancelledError } from '../../../src/engine/errors';
import { heal, type HealOptions } from '../../../src/engine/heal/heal';
import type { Healed } from '../../../src/engine/heal/result';
import { sweepLosses } from '../../../src/engine/importance/sweep';
import { openModel, type Model } from '../../../src/engine/model/model';
import { stepsOf, type View } from '../../../src/engine/model/view';
import type { Progress } from '../../../src/engine/progress';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { loadReference } from '../../reference/forward';
import { referenceLikeness, withTensors } from '../../reference/heal';
import { assertClose, assertGradientClose } from '../../support/close';
import { checkLikeness, HEAL_TOLERANCE } from '../../support/heal-checks';
import { patchedTensors, viewOf } from '../../support/healing';
import { describedModel, openToy, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { withTemporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 4;
const rows = randomRows(10, 12, 288, 61);
const others = randomRows(4, 12, 288, 62);
const REFIT: HealOptions = { method: 'refit' };
const AUTO: HealOptions = { method: 'refit', ridge: 'auto' };
const METHODS: readonly HealOptions[] = [REFIT, AUTO, { method: 'fold' }, { method: 'scalar' }];

describe('healing', () => {
  const folder = tinyCheckpoint('llama-bias');
  const model = describedModel(() => folder);
  const reference = loadReference(folder);
  const cut = viewOf(BLOCKS, '1,2.attention');

  it('of a whole model changes nothing', async () => {
    for (const options of METHODS) {
      const { steps, patches, fit } = await heal(model(), viewOf(BLOCKS, ''), rows, options);
      assert.deepEqual([steps, patches], [[], []]);
      assert.deepEqual(fit!.after, fit!.before);
      assert.deepEqual(fit!.rounded, fit!.before);
      assert.ok(Math.abs(fit!.before.kl) < 1e-9 && fit!.before.top1 === 1, `KL ${fit!.before.kl}`);
    }
  });

  it('of a model whose end is left out changes nothing but what is kept before it', async () => {
    const { patches } = await heal(model(), viewOf(BLOCKS, '2.ffn,3'), rows, REFIT);
    assert.deepEqual([...patchedTensors(model(), patches).keys()], ['model.layers.2.self_attn.o_proj.weight']);
  });

  it('does not write into the checkpoint, nor into the model', async () => {
    const before = await lossOf(model(), cut);
    await heal(model(), cut, rows, REFIT);
    assert.equal(await lossOf(model(), cut), before);
    assert.deepEqual(loadReference(folder).tensors, reference.tensors);
  });

  it('measures what the patches do, laid over the model', async () => {
    for (const options of METHODS) {
      const { patches, fit } = await heal(model(), cut, rows, options);
      assertClose(await lossOf(model(), cut), fit!.before.meanNll, { absolute: 1e-6 }, 'before');
      const loss = await withPatches(folder, patches, (patched) => lossOf(patched, cut));
      assertClose(loss, fit!.after.meanNll, { absolute: 1e-5 }, `after, ${options.method}`);
      assert.notEqual(fit!.after.kl, fit!.before.kl);
      assert.equal(fit!.rows, rows.length);
    }
  });

  it('helps on the rows that were fitted', async () => {
    for (const options of [REFIT, AUTO, { method: 'fold' }] as const) {
      const { steps, fit } = await heal(model(), cut, rows, options);
      assert.ok(steps.length > 0 && steps.every(({ errorBefore, errorAfter }) => errorAfter! <= errorBefore!));
      assert.ok(fit!.after.kl < fit!.before.kl, `KL ${fit!.before.kl} → ${fit!.after.kl}`);
    }
  });

  it('gives the same bits with hidden states in a temporary file, and leaves none behind', async () => {
    const many = randomRows(200, 12, 288, 63); // several runs
    for (const options of [REFIT, { method: 'fold', ridge: 'auto' }, { method: 'scalar' }] as const) {
      const expected = await heal(model(), cut, many, { ...options, heldOut: others });
      await withModel(
        folder,
        (small) =>
          withTemporaryFolder(async (look) => {
            let most = 0;
            const onProgress = (): void => void (most = Math.max(most, look().length));
            const found = await heal(small, cut, many, { ...options, heldOut: others }, { onProgress });
            assert.deepEqual(found, expected);
            assert.deepEqual(look(), []);
            assert.equal(most, process.platform === 'win32' ? 2 : 0, 'the files have no name while they are used');
          }),
        { memory: 1000 },
      );
    }
  });

  it('leaves no file behind when it is cancelled', () =>
    withModel(
      folder,
      (small) =>
        withTemporaryFolder(async (look) => {
          const abort = new AbortController();
          const onProgress = ({ done, total }: Progress): void => {
            if (done > total / 2) abort.abort();
          };
          await assert.rejects(heal(small, cut, rows, REFIT, { signal: abort.signal, onProgress }), CancelledError);
          assert.deepEqual(look(), []);
        }),
      { memory: 1000 },
    ));

  it('does not depend on the order of the rows, beyond rounding', async () => {
    for (const options of [REFIT, { method: 'fold' }, { method: 'scalar' }] as const) {
      const one = await heal(model(), cut, rows, options);
      checkSame(one, await heal(model(), cut, [...rows].reverse(), options));
    }
  });

  it('of the same rows twice is that of the rows once, for the same ridge', async () => {
    for (const options of [{ method: 'refit', ridge: 0.7 }, { method: 'fold' }, { method: 'scalar' }] as const) {
      const once = await heal(model(), cut, rows, options);
      checkSame(once, await heal(model(), cut, [...rows, ...rows], options));
    }
  });

  it('does not look at rows that are held out, and measures them and as many others', async () => {
    for (const options of METHODS) {
      const alone = await heal(model(), cut, rows, options);
      const { heldOut, ...rest } = await heal(model(), cut, rows, { ...options, heldOut: others });
      checkSame(alone, rest);
      const changed = patchedTensors(model(), rest.patches);
      const likeness = referenceLikeness(reference, others);
      checkLikeness(heldOut!.before, likeness(reference, cut), HEAL_TOLERANCE.toys, 'before');
      const healed = withTensors(reference, changed);
      checkLikeness(heldOut!.after, likeness(healed, cut), HEAL_TOLERANCE.toys, 'after');
      assert.deepEqual([heldOut!.rows, rest.fit!.rows], [others.length, others.length]);
    }
  });

  it('auto: every fifth row chooses the ridge, and no other', async () => {
    const { steps } = await heal(model(), cut, rows, AUTO);
    // The order of rows within the two groups does not matter; which group a row is in does.
    const swapped = [rows[5], ...rows.slice(1, 5), rows[0], ...rows.slice(6)];
    const moved = [rows[4], ...rows.slice(1, 4), rows[0], ...rows.slice(5)];
    const held = async (some: readonly number[][]): Promise<readonly number[]> =>
      (await heal(model(), cut, some, AUTO)).steps[0].heldErrors!;
    for (const [i, error] of (await held(swapped)).entries()) {
      assertClose(error, steps[0].heldErrors![i], { absolute: 1e-6 }, 'another row of the same group');
    }
    assert.ok((await held(moved)).some((error, i) => Math.abs(error - steps[0].heldErrors![i]) > 1e-4));
  });

  it('a step of 0 changes nothing, and a larger ridge changes less', async () => {
    const { steps, fit } = await heal(model(), cut, rows, { method: 'refit', step: 0, stepCut: 0 });
    for (const { errorBefore, errorAfter } of steps) assert.equal(errorAfter, errorBefore);
    checkLikeness(fit!.after, fit!.before, HEAL_TOLERANCE.toys, 'after steps of 0');
    const norms: number[] = [];
    for (const ridge of [0.1, 1, 10, 1e4]) {
      norms.push((await heal(model(), cut, rows, { method: 'refit', ridge, measure: false })).steps[0].normDelta!);
    }
    for (let i = 1; i < norms.length; i++) assert.ok(norms[i] < norms[i - 1], norms.join());
    assert.ok(norms[3] < 1e-2 * norms[0]);
  });

  it('hands every new weight to the sink once, and returns what that has', async () => {
    const expected = await heal(model(), cut, rows, REFIT);
    const seen: KeyedPatch[] = [];
    const sink = {
      add: (key: KeyedPatch[0], values: Float32Array) =>
        Promise.resolve(void seen.push([key, { kind: 'replace', values }])),
      patches: () => Promise.resolve(seen),
    };
    const { patches } = await heal(model(), cut, rows, { ...REFIT, sink });
    assert.equal(patches, seen);
    assert.deepEqual(seen, expected.patches);
  });

  it('lists the weights of its steps, biases of a fold and of scalar too', async () => {
    const names = async (options: HealOptions): Promise<string[]> => {
      const { patches } = await heal(model(), cut, rows, { ...options, measure: false });
      return [...patchedTensors(model(), patches).keys()].map((name) => name.replace('model.layers.', ''));
    };
    const both = (name: string): string[] => [`${name}.weight`, `${name}.bias`];
    const later = ['3.self_attn.o_proj', '3.mlp.down_proj'];
    assert.deepEqual(
      await names(REFIT),
      ['0.mlp.down_proj', '2.mlp.down_proj', ...later].map((name) => `${name}.weight`),
    );
    assert.deepEqual(await names({ method: 'fold' }), both('0.mlp.down_proj'));
    assert.deepEqual(await names({ method: 'scalar' }), ['2.mlp.down_proj', ...later].flatMap(both));
  });
});

/** Mean loss of the rows. */
async function lossOf(model: Model, view: View): Promise<number> {
  const { full } = await sweepLosses(model, rows, stepsOf(view), []);
  return full.reduce((sum, loss) => sum + loss, 0) / full.length;
}

async function withPatches<T>(
  folder: string,
  patches: readonly KeyedPatch[],
  use: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await openModel(await openToy(folder), { device: 'cpu', changes: [patches] });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** The same corrections but for rounding; sums over twice the rows are twice as large, so they are not compared. */
function checkSame(one: Healed, other: Healed): void {
  assert.deepEqual(
    other.steps.map(({ block, tensor }) => [block, tensor]),
    one.steps.map(({ block, tensor }) => [block, tensor]),
  );
  for (const [i, [key, patch]] of one.patches.entries()) {
    const [otherKey, otherPatch] = other.patches[i];
    assert.deepEqual(otherKey, key);
    assert.ok(patch.kind === 'replace' && otherPatch.kind === 'replace');
    assertGradientClose(otherPatch.values, patch.values, 1e-5, JSON.stringify(key));
  }
}
