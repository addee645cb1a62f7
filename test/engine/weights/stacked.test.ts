/** Experts in one tensor: the model is that of a tensor for each, and what is written has the layout that was there. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { expertLinear } from '../../../src/engine/checkpoint/kinds/experts';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { moduleBytes } from '../../../src/engine/checkpoint/reduction';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { weightKeys, type WeightKey } from '../../../src/engine/checkpoint/weight-key';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { newRecord } from '../../../src/engine/records/record';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { writeModified } from '../../../src/engine/write/modified';
import { expertToy, stackedLayout } from '../../support/expert-toys';
import { checkpointFolder } from '../../support/golden';
import { decodedLogits, openToy, withModelOf } from '../../support/model';
import { itShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const PROMPT = [5, 9, 200, 31, 7];
const FAMILIES = { mixtral: {}, qwen3_moe: { moe_intermediate_size: 24 }, olmoe: { num_key_value_heads: 4 } } as const;

const logitsOf = (checkpoint: Checkpoint): Promise<Float32Array[]> =>
  withModelOf(checkpoint, (model) => decodedLogits(model, [PROMPT]));

async function written(
  source: Checkpoint,
  removed: readonly number[],
  changes: readonly KeyedPatch[] = [],
): Promise<Checkpoint> {
  const out = join(temporaryFolder(), 'out');
  const record = (): ReturnType<typeof newRecord> =>
    newRecord({ kind: 'prune', inputs: [], settings: {}, results: {}, started: new Date() });
  const parts = { removed, changes: [changes], notes: {}, card: () => Promise.resolve(''), record };
  await writeModified(source, parts, out, {});
  return openCheckpoint(out);
}

const numbersOf = (checkpoint: Checkpoint, key: WeightKey): Promise<Float32Array> =>
  withWeights(checkpoint, (weights) => weights.read(key));

describe('stacked experts', () => {
  for (const [model_type, config] of Object.entries(FAMILIES)) {
    it(`of ${model_type} are the weights that lie apart in other files, and stay stacked`, async () => {
      const apart = await openToy(expertToy({ model_type, ...config }));
      const stacked = await openToy(expertToy({ model_type, ...config }, stackedLayout));
      const architecture = requireArchitecture(stacked);
      assert.deepEqual(stacked.notes, []);
      for (const key of weightKeys(architecture)) {
        assert.deepEqual(await numbersOf(stacked, key), await numbersOf(apart, key), JSON.stringify(key));
      }
      assert.deepEqual(await logitsOf(stacked), await logitsOf(apart));
      const [own, other] = [stacked, apart].map((each) => moduleBytes(each)[1]);
      assert.equal(own.attention, other.attention);
      assert.ok(own.ffn < other.ffn && own.ffn > 0.95 * other.ffn, `${own.ffn} of ${other.ffn} bytes`);
      const pruned = await written(stacked, [0]);
      assert.deepEqual(await logitsOf(pruned), await logitsOf(await written(apart, [0])));
      const shapes = [...pruned.tensors.values()].filter(({ name }) => name.includes('experts'));
      assert.deepEqual(
        shapes.map(({ shape }) => shape.length),
        [3, 3],
      );
    });
  }

  it('have changed numbers in their places', async () => {
    const stacked = await openToy(expertToy({}, stackedLayout));
    const key = { layer: 1, name: expertLinear(2, 'up') };
    const values = (await numbersOf(stacked, key)).map((value) => value + 1);
    const changed = await written(stacked, [], [[key, { kind: 'replace', values }]]);
    for (const each of weightKeys(requireArchitecture(stacked))) {
      const isIt = typeof each !== 'string' && each.layer === 1 && each.name === key.name;
      assert.deepEqual(await numbersOf(changed, each), isIt ? values : await numbersOf(stacked, each));
    }
  });

  itShared('of gpt-oss have them in the columns of their own', async () => {
    const stacked = await openCheckpoint(checkpointFolder('families3/gptoss-sinks'));
    const keys = [expertLinear(2, 'up'), `${expertLinear(4, 'gate')}Bias` as const].map((name) => ({ layer: 1, name }));
    const patches: KeyedPatch[] = [];
    for (const key of keys) {
      const values = (await numbersOf(stacked, key)).map((value) => 2 * value);
      patches.push([key, { kind: 'replace', values }]);
    }
    const changed = await written(stacked, [], patches);
    for (const each of weightKeys(requireArchitecture(stacked))) {
      const patch = patches.find(([key]) => JSON.stringify(key) === JSON.stringify(each))?.[1];
      const expected = patch?.kind === 'replace' ? patch.values : await numbersOf(stacked, each);
      assert.deepEqual(await numbersOf(changed, each), expected, JSON.stringify(each));
    }
  });

  it('are written as GGUF like others', async () => {
    const [apart, stacked] = [await openToy(expertToy()), await openToy(expertToy({}, stackedLayout))];
    const made: Checkpoint[] = [];
    for (const source of [apart, stacked]) {
      const file = join(temporaryFolder(), 'model.gguf');
      await withWeights(source, (weights) => writeGguf(source, weights, file));
      made.push(await openCheckpoint(file));
    }
    assert.deepEqual(await logitsOf(made[1]), await logitsOf(made[0]));
  });

  it('of another shape than the config says are refused by name', async () => {
    const folder = expertToy({}, (tensors) =>
      stackedLayout(tensors).map((tensor) =>
        tensor.name.endsWith('1.block_sparse_moe.experts.down_proj') ? { ...tensor, shape: [3, 32, 64] } : tensor,
      ),
    );
    await assert.rejects(openCheckpoint(folder), /experts\.down_proj" disagrees[^]*\[3, 32, 64\]/);
    const none = expertToy({ model_type: 'gpt_oss', head_dim: 16 }, (tensors) =>
      tensors.filter(({ name }) => !name.includes('experts')),
    );
    await assert.rejects(openCheckpoint(none), /"model\.layers\.0\.mlp\.experts\.gate_up_proj" is missing/);
  });
});
