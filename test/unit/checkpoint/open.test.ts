/** Opening: every way to name a checkpoint, and what makes two of them the same. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { readConfigFile } from '../../../src/engine/checkpoint/config-file';
import { readShardIndex } from '../../../src/engine/formats/safetensors/index-file';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { allWeights } from '../../../src/engine/checkpoint/weight-names';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { windowOf } from '../../../src/engine/checkpoint/kinds/parts';
import { storedTensor } from '../../../src/engine/formats/stored-tensor';
import { describeShared, shared, smollm2Folder } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';
import { architectureOf, CONFIG, rejects, shardName, writeModel } from '../../support/checkpoint-files';

const indexOf = (folder: string): Record<string, string> => {
  const index = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8')) as unknown;
  return (index as { weight_map: Record<string, string> }).weight_map;
};

describe('opening a checkpoint', () => {
  it('takes a folder, its file and its config for the same model', async () => {
    const folder = writeModel();
    const byFolder = await openCheckpoint(folder);
    assert.equal(byFolder.format, 'safetensors');
    assert.equal(byFolder.folder, folder);
    assert.equal(byFolder.unsupported, undefined);
    assert.deepEqual(requireArchitecture(byFolder), architectureOf());
    assert.deepEqual(byFolder.notes, []);
    for (const name of ['model.safetensors', 'config.json']) {
      const other = await openCheckpoint(join(folder, name));
      assert.equal(other.identity, byFolder.identity);
      assert.equal(other.folder, folder);
      assert.deepEqual([...other.tensors], [...byFolder.tensors]);
    }
  });

  it('makes a relative path absolute', async () => {
    const folder = writeModel();
    assert.equal((await openCheckpoint(relative('.', folder))).path, folder);
  });

  it('opens a sharded model by folder and by index, tensors in the order of the shards', async () => {
    const folder = writeModel(CONFIG, { shards: 4 });
    const checkpoint = await openCheckpoint(folder);
    assert.equal(checkpoint.format, 'safetensors-sharded');
    assert.deepEqual(
      checkpoint.shards.map((shard) => shard.name),
      [0, 1, 2, 3].map((k) => shardName(k, 4)),
    );
    assert.deepEqual([...checkpoint.tensors.keys()], Object.keys(indexOf(folder)));
    assert.ok(checkpoint.architecture);
    const byIndex = await openCheckpoint(join(folder, 'model.safetensors.index.json'));
    assert.equal(byIndex.identity, checkpoint.identity);
  });

  it('opens a thousand shards', async () => {
    const config = { ...CONFIG, num_hidden_layers: 120 };
    const { shards, tensors } = await openCheckpoint(writeModel(config, { shards: 1000 }));
    assert.equal(shards.length, 1000);
    assert.equal(tensors.size, 120 * 9 + 3);
  });

  it('shows one shard alone without taking it for the model', async () => {
    const folder = writeModel(CONFIG, { shards: 3 });
    const checkpoint = await openCheckpoint(join(folder, shardName(1, 3)));
    assert.equal(checkpoint.shards.length, 1);
    await rejects(() => requireArchitecture(checkpoint), /one of several files/);
  });

  it('opens a lone file without a config, to be inspected only', async () => {
    const folder = writeModel();
    rmSync(join(folder, 'config.json'));
    const checkpoint = await openCheckpoint(join(folder, 'model.safetensors'));
    assert.equal(checkpoint.tensors.size, 30);
    assert.equal(checkpoint.config, undefined);
    await rejects(() => requireArchitecture(checkpoint), /no config\.json/);
  });

  it('takes the only safetensors file of a folder, whatever its name', async () => {
    const folder = writeModel();
    renameSync(join(folder, 'model.safetensors'), join(folder, 'weights.safetensors'));
    assert.ok((await openCheckpoint(folder)).architecture);
  });

  it('resolves the links of a Hugging Face cache snapshot to the blobs', async () => {
    const root = realpathSync(temporaryFolder());
    const snapshot = join(root, 'snapshots/0123abcd');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(root, 'blobs'));
    const source = writeModel(CONFIG, { shards: 2 });
    const blob = (name: string): string => join(root, 'blobs', createHash('sha256').update(name).digest('hex'));
    for (const name of readdirSync(source)) {
      copyFileSync(join(source, name), blob(name));
      symlinkSync(relative(snapshot, blob(name)), join(snapshot, name));
    }
    const checkpoint = await openCheckpoint(snapshot);
    assert.equal(checkpoint.folder, snapshot);
    assert.equal(checkpoint.shards[0].name, shardName(0, 2));
    assert.equal(checkpoint.shards[0].file, blob(shardName(0, 2)));
    assert.equal(storedTensor(checkpoint.tensors.get('model.norm.weight')!).file, blob(shardName(1, 2)));
    assert.equal(checkpoint.identity, (await openCheckpoint(source)).identity);
    await rejects(() => openCheckpoint(root), /root of a model in the Hugging Face cache[^]*snapshots/);
    rmSync(blob(shardName(1, 2)));
    await rejects(() => openCheckpoint(snapshot), /model-00002-of-00002[^]*link, and its target does not exist/);
  });

  it('takes the end tokens of generation_config.json where it names some', async () => {
    const folder = writeModel();
    writeFileSync(join(folder, 'generation_config.json'), '{"eos_token_id": [3, 4]}');
    assert.deepEqual((await openCheckpoint(folder)).architecture?.eosTokenIds, [3, 4]);
    writeFileSync(join(folder, 'generation_config.json'), '{}');
    assert.deepEqual((await openCheckpoint(folder)).architecture?.eosTokenIds, [2]);
    writeFileSync(join(folder, 'generation_config.json'), '{"eos_token_id": "</s>"}');
    await rejects(() => openCheckpoint(folder), /generation_config\.json: eos_token_id/);
  });

  for (const name of TINY_MODELS) {
    it(`opens the toy ${name}`, async () => {
      const checkpoint = await openCheckpoint(tinyCheckpoint(name));
      assert.equal(checkpoint.unsupported, undefined);
      assert.deepEqual(checkpoint.notes, []);
    });
  }
});

describe('the identity of a checkpoint', () => {
  it('depends on config, headers and sizes, not on path or time', async () => {
    const first = writeModel();
    const { identity } = await openCheckpoint(first);
    assert.match(identity, /^[0-9a-f]{64}$/);
    const second = writeModel();
    utimesSync(join(second, 'model.safetensors'), 1, 1);
    assert.equal((await openCheckpoint(second)).identity, identity);
    writeFileSync(join(second, 'config.json'), `${JSON.stringify(CONFIG)}\n`);
    assert.notEqual((await openCheckpoint(second)).identity, identity);
    const other = writeModel(CONFIG, { dtype: 'F16' });
    assert.notEqual((await openCheckpoint(other)).identity, identity);
    rmSync(join(first, 'config.json'));
    assert.notEqual((await openCheckpoint(first)).identity, identity);
  });
});

describeShared('opening the reference checkpoints', () => {
  const families = [
    'llama-bias',
    'llama-linear-rope',
    'llama-plain',
    'llama3-rope',
    'mistral-window',
    'qwen2-mixed-windows',
    'qwen3-qknorm',
  ];
  const plain = [
    'arch/tiny_llama3',
    'arch/tiny_mistral',
    'arch/tiny_qwen3',
    'stories260K-f32',
    'stories260K-bf16',
    'stories260K-f32-sharded',
  ];
  for (const name of [...families.map((family) => `families/${family}`), ...plain]) {
    it(name, async () => {
      const checkpoint = await openCheckpoint(shared('models', name));
      assert.equal(checkpoint.unsupported, undefined);
      assert.deepEqual(checkpoint.notes, []);
      assert.equal(basename(checkpoint.folder), basename(name));
    });
  }

  it('windows of qwen2-mixed-windows and mistral-window', async () => {
    const window = async (name: string): Promise<unknown> =>
      requireArchitecture(await openCheckpoint(shared('models/families', name))).layers.map(windowOf);
    assert.deepEqual(await window('qwen2-mixed-windows'), [null, null, 12, 12, 12, 12]);
    assert.deepEqual(await window('mistral-window'), [12, 12, 12, 12, 12, 12]);
  });

  it('refuses to compute with an MLX checkpoint by name', async () => {
    const checkpoint = await openCheckpoint(shared('models/arch/tiny_llama3_tied'));
    await rejects(() => requireArchitecture(checkpoint), /MLX 4-bit/);
  });

  it('counts the parameters that the index of a 24B model states, from its config', async () => {
    const folder = shared('data/metadata/devstral');
    const index = await readShardIndex(join(folder, 'model.safetensors.index.json'));
    const architecture = readConfigArchitecture((await readConfigFile(folder)).value);
    assert.ok(!('why' in architecture));
    assert.equal(parametersOf(architecture), 23_572_403_200);
    assert.deepEqual([...allWeights(architecture)].map(({ name }) => name).sort(), [...index.weightMap.keys()].sort());
    assert.equal(index.shards.length, 10);
  });

  it('SmolLM2-135M-Instruct', async () => {
    const { architecture, tensors } = await openCheckpoint(smollm2Folder());
    assert.equal(architecture?.layers.length, 30);
    assert.equal(tensors.size, 272);
  });
});
