/** The weights of safetensors checkpoints as a source, against a reader that shares nothing with the engine. */
import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, renameSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { keyText, layerKeys, weightKeys, weightOf, type WeightKey } from '../../../src/engine/checkpoint/weight-key';
import { allWeights } from '../../../src/engine/checkpoint/weight-names';
import { UserError } from '../../../src/engine/errors';
import { Graph } from '../../../src/engine/onnx/graph';
import { checkpointWeights, withWeights } from '../../../src/engine/weights/checkpoint';
import type { WeightSource } from '../../../src/engine/weights/source';
import { readCheckpointTensors } from '../../support/safetensors';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint, tinyCheckpoint, TINY_MODELS, type TinyName } from '../../support/tiny-models';

const withTiny = async <T>(name: TinyName, use: (weights: WeightSource) => Promise<T>): Promise<T> =>
  withWeights(await openCheckpoint(tinyCheckpoint(name)), use);

describe('keys of weights', () => {
  for (const name of TINY_MODELS) {
    it(`name every weight of ${name} once, in order`, async () => {
      const architecture = requireArchitecture(await openCheckpoint(tinyCheckpoint(name)));
      const keys = [...weightKeys(architecture)];
      assert.deepEqual(
        keys.map((key) => weightOf(architecture, key)),
        [...allWeights(architecture)],
      );
      assert.equal(new Set(keys.map(keyText)).size, keys.length);
      assert.deepEqual(
        layerKeys(architecture, 2),
        keys.filter((key) => typeof key !== 'string' && key.layer === 2),
      );
    });
  }

  it('of weights that a model lacks have no name', async () => {
    const architecture = requireArchitecture(await openCheckpoint(tinyCheckpoint('llama-plain')));
    assert.equal(weightOf(architecture, { layer: 0, name: 'qBias' }), undefined);
    assert.equal(weightOf(architecture, { layer: 0, name: 'q' })?.name, 'model.layers.0.self_attn.q_proj.weight');
  });
});

describe('weights of a checkpoint', () => {
  for (const name of TINY_MODELS) {
    it(`${name}: shapes, numbers, rows and stored tensors`, () =>
      withTiny(name, async (weights) => {
        const tensors = readCheckpointTensors(tinyCheckpoint(name));
        for (const key of weightKeys(weights.architecture)) {
          const { name: tensor } = weightOf(weights.architecture, key)!;
          const { shape, values, dtype } = tensors.get(tensor)!;
          assert.deepEqual(weights.shape(key), shape);
          assert.deepEqual(await weights.read(key), values);
          const width = values.length / shape[0];
          assert.deepEqual(await weights.read(key, { start: 3, count: 2 }), values.slice(3 * width, 5 * width));
          const { name: stored, dtype: storedAs } = weights.stored(key)!;
          assert.deepEqual([stored, storedAs], [tensor, dtype]);
        }
      }));
  }

  it('of a tied model: the head is the embedding', () =>
    withTiny('llama-gqa-tied', async (weights) => {
      assert.deepEqual(await weights.read('head'), await weights.read('embed'));
    }));

  it('bind as initializers that stay in their files', async () => {
    await withTiny('llama3-rope', (weights) => {
      const g = new Graph();
      const whole = weights.bind(g, { layer: 1, name: 'down' });
      const piece = weights.bind(g, 'head', { start: 16, count: 32 });
      const some = weights.bind(g, 'head', g.input('ids', 'int64', ['n']));
      assert.deepEqual(
        [whole, piece, some].map(({ type, shape }) => [type, shape]),
        [
          ['float32', [64, 96]],
          ['float32', [32, 64]],
          ['float32', ['n', 64]],
        ],
      );
      for (const value of [whole, piece, some]) g.output(value.name, value);
      const { bytes, folder } = g.serialize();
      assert.ok(bytes.length < 2000, `${bytes.length} bytes`); // 32 rows alone would be 4096
      assert.equal(folder, realpathSync(tinyCheckpoint('llama3-rope')));
      return Promise.resolve();
    });
  });

  it('are read through links into several folders', async () => {
    const source = ownTinyCheckpoint('mistral-window');
    const root = realpathSync(temporaryFolder());
    const expected = readCheckpointTensors(source);
    for (const shard of [1, 2, 3]) {
      const file = `model-0000${shard}-of-00005.safetensors`;
      mkdirSync(join(root, `${shard}`));
      renameSync(join(source, file), join(root, `${shard}`, 'blob'));
      symlinkSync(join(root, `${shard}`, 'blob'), join(source, file));
    }
    await withWeights(await openCheckpoint(source), async (weights) => {
      const g = new Graph();
      for (const key of weightKeys(weights.architecture)) {
        assert.deepEqual(await weights.read(key), expected.get(weightOf(weights.architecture, key)!.name)!.values);
        g.output(keyText(key), weights.bind(g, key));
      }
      const { folder } = g.serialize();
      assert.ok(root.startsWith(folder!) && realpathSync(source).startsWith(folder!), folder);
    });
  });

  it('say which file they could not read, and read again after they were closed', async () => {
    const folder = ownTinyCheckpoint('llama-plain');
    const weights = checkpointWeights(await openCheckpoint(folder));
    const first = await weights.read('embed', { start: 1, count: 1 });
    await weights.close();
    assert.deepEqual(await weights.read('embed', { start: 1, count: 1 }), first);
    truncateSync(join(folder, 'model.safetensors'), 100);
    await assert.rejects(weights.read('embed'), (error) => {
      assert.ok(error instanceof UserError);
      assert.deepEqual(
        [error.what, error.why],
        [`Cannot read ${join(folder, 'model.safetensors')}`, 'it became shorter while it was read'],
      );
      return true;
    });
    await weights.close();
  });

  it('throw for a weight that the model lacks', () =>
    withTiny('llama-plain', async (weights) => {
      const missing: WeightKey = { layer: 0, name: 'qNorm' };
      assert.throws(() => weights.shape(missing), /qNorm/);
      assert.throws(() => weights.bind(new Graph(), missing), /qNorm/);
      await assert.rejects(weights.read(missing), /qNorm/);
    }));
});
