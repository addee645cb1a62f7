/** Opening: every way to name a checkpoint, and every way in which one can be incomplete or contradictory. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { readConfigFile } from '../../../src/engine/checkpoint/config-file';
import { readShardIndex } from '../../../src/engine/checkpoint/index-file';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { allWeights } from '../../../src/engine/checkpoint/weights';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { describeShared, shared, smollm2Folder } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';
import { architectureOf, CONFIG, layOut, rejects, shardName, writeIndex, writeModel, writeRaw } from './files';

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
    assert.equal(checkpoint.tensors.get('model.norm.weight')?.file, blob(shardName(1, 2)));
    assert.equal(checkpoint.identity, (await openCheckpoint(source)).identity);
    await rejects(() => openCheckpoint(root), /root of a model in the Hugging Face cache[^]*snapshots/);
    rmSync(blob(shardName(1, 2)));
    await rejects(() => openCheckpoint(snapshot), /model-00002-of-00002[^]*link whose target is gone/);
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

describe('opening what is incomplete or contradictory', () => {
  it('names a path that is not there', async () => {
    await rejects(() => openCheckpoint(join(temporaryFolder(), 'nothing')), /nothing/);
    await rejects(
      () => openCheckpoint(join(temporaryFolder(), 'no/such/model.safetensors')),
      /model\.safetensors|no such/,
    );
  });

  it('says what a folder holds instead of weights', async () => {
    const folder = temporaryFolder();
    await rejects(() => openCheckpoint(folder), /no \.safetensors file/);
    writeFileSync(join(folder, 'model.gguf'), 'GGUF');
    await rejects(() => openCheckpoint(folder), /GGUF/);
    writeFileSync(join(folder, 'pytorch_model.bin'), '');
    await rejects(() => openCheckpoint(folder), /pytorch_model\.bin[^]*pickle[^]*safetensors/);
  });

  it('asks for the index where there are several files', async () => {
    const folder = writeModel(CONFIG, { shards: 2 });
    rmSync(join(folder, 'model.safetensors.index.json'));
    await rejects(() => openCheckpoint(folder), /2 safetensors files but no model\.safetensors\.index\.json/);
  });

  const impostors: [string, Buffer, RegExp][] = [
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n'),
      /LFS pointer[^]*git lfs pull/,
    ],
    [
      'a zip archive by torch.save',
      Buffer.from('PK\x03\x04\x00\x00\x08\x08 archive/data.pkl', 'latin1'),
      /pickle[^]*save_pretrained/,
    ],
    ['a bare pickle', Buffer.from('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'latin1'), /pickle/],
    ['a GGUF file', Buffer.from('GGUF\x03\x00\x00\x00\x00\x00\x00\x00', 'latin1'), /GGUF/],
    ['a web page', Buffer.from('<!DOCTYPE html><html>login</html>'), /web page/],
    ['some text', Buffer.from('Access to this model is restricted'), /begins with text/],
    ['nothing', Buffer.alloc(0), /header length[^]*0 bytes/],
  ];
  for (const [title, bytes, pattern] of impostors) {
    it(`recognises ${title} in place of a shard`, async () => {
      const folder = writeModel(CONFIG, { shards: 2 });
      writeFileSync(join(folder, shardName(1, 2)), bytes);
      await rejects(() => openCheckpoint(folder), /model-00002-of-00002\.safetensors/, pattern);
    });
  }

  it('refuses folders and pipes in place of files, without waiting', async () => {
    const folder = writeModel();
    rmSync(join(folder, 'model.safetensors'));
    mkdirSync(join(folder, 'model.safetensors'));
    await rejects(() => openCheckpoint(folder), /model\.safetensors[^]*(not a regular file|a folder)/);
    if (process.platform === 'win32') return;
    const pipe = join(folder, 'pipe.safetensors');
    execFileSync('mkfifo', [pipe]);
    await rejects(() => openCheckpoint(pipe), /not a regular file/);
  });

  it('refuses a truncated shard', async () => {
    const folder = writeModel(CONFIG, { shards: 2 });
    truncateSync(join(folder, shardName(0, 2)), 700);
    await rejects(() => openCheckpoint(folder), /model-00001-of-00002\.safetensors/);
  });

  it('names a shard that the index lists and that is missing', async () => {
    const folder = writeModel(CONFIG, { shards: 3 });
    rmSync(join(folder, shardName(1, 3)));
    await rejects(() => openCheckpoint(folder), /index\.json names a shard that is missing[^]*model-00002-of-00003/);
  });

  for (const path of [
    '../model.safetensors',
    '/etc/passwd',
    'a/../../b',
    '..',
    'C:\\model.safetensors',
    'a//b',
    './x',
    '',
    'x\n',
  ]) {
    it(`refuses ${JSON.stringify(path)} in the index`, async () => {
      const folder = writeModel(CONFIG, { shards: 2 });
      writeIndex(folder, { ...indexOf(folder), 'lm_head.weight': path });
      await rejects(() => openCheckpoint(folder), /weight_map names[^]*outside the model folder/);
    });
  }

  it('refuses an index that disagrees with the shards', async () => {
    const folder = writeModel(CONFIG, { shards: 2 });
    const map = indexOf(folder);
    writeIndex(folder, { ...map, 'lm_head.weight': shardName(0, 2) });
    await rejects(() => openCheckpoint(folder), /places "lm_head\.weight" in model-00001[^]*lies in model-00002/);
    writeIndex(folder, { ...map, 'model.extra.weight': shardName(0, 2) });
    await rejects(() => openCheckpoint(folder), /"model\.extra\.weight"[^]*no shard holds it/);
  });

  it('refuses an index that is none', async () => {
    const folder = writeModel(CONFIG, { shards: 2 });
    for (const map of [undefined, [], 'x', {}, { a: 3 }]) {
      writeIndex(folder, map);
      await rejects(() => openCheckpoint(folder), /model\.safetensors\.index\.json: weight_map/);
    }
    writeFileSync(join(folder, 'model.safetensors.index.json'), '{"weight_map":{"a":"x","a":"y"}}');
    await rejects(() => openCheckpoint(folder), /"a" occurs twice/);
  });

  it('tells of tensors that the index does not list', async () => {
    const folder = writeModel(CONFIG, { shards: 2 });
    const map = indexOf(folder);
    delete map['lm_head.weight'];
    writeIndex(folder, map);
    const { architecture, notes } = await openCheckpoint(folder);
    assert.ok(architecture);
    assert.match(notes.join('\n'), /1 tensors in the shards are not listed/);
  });

  it('refuses a tensor that two shards hold', async () => {
    const folder = writeModel(CONFIG, { shards: 2 });
    const { header, bytes } = layOut([{ name: 'lm_head.weight', shape: [10, 8] }]);
    writeRaw(join(folder, 'more.safetensors'), header, bytes);
    writeIndex(folder, { ...indexOf(folder), 'lm_head.weight': 'more.safetensors' });
    await rejects(() => openCheckpoint(folder), /"lm_head\.weight" is stored twice/);
  });

  it('refuses a config that is no JSON object, or too large', async () => {
    const folder = writeModel();
    for (const text of ['', '{', '[]', 'null', '\u0000']) {
      writeFileSync(join(folder, 'config.json'), text);
      await rejects(() => openCheckpoint(folder), /config\.json is not valid/);
    }
    truncateSync(join(folder, 'config.json'), 20_000_000);
    await rejects(() => openCheckpoint(folder), /config\.json[^]*20000000 bytes/);
  });

  it('refuses a shape that disagrees with the config', async () => {
    const folder = writeModel();
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, intermediate_size: 16 }));
    await rejects(
      () => openCheckpoint(folder),
      /"model\.layers\.0\.mlp\.gate_proj\.weight" disagrees with config\.json[^]*\[12, 8\][^]*\[16, 8\]/,
    );
  });

  it('refuses a config with more blocks than there are, and tells of blocks beyond it', async () => {
    const folder = writeModel();
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, num_hidden_layers: 4 }));
    await rejects(() => openCheckpoint(folder), /"model\.layers\.3\.\S+" is missing[^]*9 weights/);
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, num_hidden_layers: 2 }));
    assert.match(
      (await openCheckpoint(folder)).notes.join(),
      /not used by the model: model\.layers\.2\.[^]* and 6 more/,
    );
  });

  it('tells a missing head from other missing weights', async () => {
    const folder = writeModel({ ...CONFIG, tie_word_embeddings: true });
    writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG));
    await rejects(() => openCheckpoint(folder), /"lm_head\.weight" is missing[^]*tie_word_embeddings/);
  });

  it('passes over the rotary frequencies of old checkpoints in silence', async () => {
    const folder = writeModel();
    const weights = [...(await openCheckpoint(folder)).tensors.values()];
    const buffer = { name: 'model.layers.0.self_attn.rotary_emb.inv_freq', shape: [2] };
    const { header, bytes } = layOut([...weights, buffer]);
    writeRaw(join(folder, 'model.safetensors'), header, bytes);
    assert.deepEqual((await openCheckpoint(folder)).notes, []);
  });

  it('opens weights of a type that is not computed with, and says which', async () => {
    const wrong = (header: Record<string, { dtype: string }>, dtype: string): void => {
      for (const entry of Object.values(header)) entry.dtype = dtype;
    };
    for (const [dtype, pattern] of [
      ['I16', /stored as I16/],
      ['U16', /stored as U16/],
    ] as const) {
      const checkpoint = await openCheckpoint(writeModel(CONFIG, { alter: (header) => wrong(header, dtype) }));
      await rejects(() => requireArchitecture(checkpoint), pattern, /F32, F16 and BF16/);
    }
  });

  it('knows packed weights where the config is silent', async () => {
    const folder = writeModel();
    const { header, bytes } = layOut([{ name: 'model.layers.0.self_attn.q_proj.qweight', shape: [4] }]);
    writeRaw(join(folder, 'model.safetensors'), header, bytes);
    const checkpoint = await openCheckpoint(folder);
    await rejects(() => requireArchitecture(checkpoint), /GPTQ or AWQ/);
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
      requireArchitecture(await openCheckpoint(shared('models/families', name))).slidingWindow;
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

  it('SmolLM2-135M', async () => {
    const { architecture, tensors } = await openCheckpoint(smollm2Folder());
    assert.equal(architecture?.blocks, 30);
    assert.equal(tensors.size, 272);
  });
});
