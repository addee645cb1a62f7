/** Opening what is incomplete or contradictory: each case with a message of its own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { temporaryFolder } from '../../support/temporary';
import { CONFIG, layOut, rejects, shardName, writeIndex, writeModel, writeRaw } from '../../support/checkpoint-files';

const indexOf = (folder: string): Record<string, string> => {
  const index = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8')) as unknown;
  return (index as { weight_map: Record<string, string> }).weight_map;
};

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
    await rejects(() => openCheckpoint(folder), /no weights \(\.safetensors\)/);
    writeFileSync(join(folder, 'pytorch_model.bin'), '');
    await rejects(() => openCheckpoint(folder), /pytorch_model\.bin[^]*pickle[^]*safetensors/);
    writeFileSync(join(folder, 'model.gguf'), 'GGUF');
    await rejects(() => openCheckpoint(folder), /model\.gguf: version/);
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
    await rejects(() => openCheckpoint(folder), /places "lm_head\.weight" in model-00001[^]*is in model-00002/);
    writeIndex(folder, { ...map, 'model.extra.weight': shardName(0, 2) });
    await rejects(() => openCheckpoint(folder), /"model\.extra\.weight"[^]*no shard contains it/);
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
    assert.match(notes.join('\n'), /1 tensor in the shards is not listed/);
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
