/** The language model of a multimodal Gemma 3: in both layouts of names it is the model that stands alone. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { tensorsByPlace } from '../../../src/state/model-tensors';
import { salvageCheckpoint } from '../../../src/engine/checkpoint/salvage';
import { summarize } from '../../../src/engine/checkpoint/summary';
import { textConfig } from '../../../src/engine/checkpoint/text-part';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { UserError } from '../../../src/engine/errors';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { bytesOnDisk } from '../../support/disk';
import { type Config, type Entry, layOut, rejects, writeModel, writeRaw } from '../../support/checkpoint-files';
import { temporaryFolder } from '../../support/temporary';

const TEXT: Config = {
  model_type: 'gemma3_text',
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 7,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  vocab_size: 10,
  sliding_window: 4,
  rope_scaling: { factor: 8.5, rope_type: 'linear' },
};
const WHOLE: Config = {
  architectures: ['Gemma3ForConditionalGeneration'],
  model_type: 'gemma3',
  eos_token_id: [1, 6],
  torch_dtype: 'bfloat16',
  text_config: TEXT,
  vision_config: { model_type: 'siglip_vision_model', hidden_size: 4 },
};

type Rename = (name: string) => string;

const LAYOUTS: Readonly<Record<string, Rename>> = {
  'transformers 4': (name) => `language_model.${name}`,
  'transformers 5': (name) => name.replace(/^model\./, 'model.language_model.'),
};
const VISION: readonly (readonly [string, readonly number[]])[] = [
  ['vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight', [4, 4]],
  ['vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight', [4, 4]],
  ['multi_modal_projector.mm_input_projection_weight', [4, 8]],
];

/** A multimodal checkpoint of numbered bytes. */
function writeWhole(rename: Rename, config: Config = WHOLE, others = VISION): string {
  const folder = writeModel({ ...textConfig(config) });
  const { header, bytes } = headerOf(folder);
  const vision = layOut(others.map(([name, shape]) => ({ name, shape })));
  const entries = Object.entries(vision.header).map(
    ([
      name,
      {
        data_offsets: [from, to],
        ...entry
      },
    ]) => {
      return [name, { ...entry, data_offsets: [from + bytes, to + bytes] }] as const;
    },
  );
  const renamed = Object.entries(header).map(([name, entry]) => [rename(name), entry] as const);
  writeRaw(join(folder, 'model.safetensors'), Object.fromEntries([...renamed, ...entries]), bytes + vision.bytes);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  number(join(folder, 'model.safetensors'));
  return folder;
}

function headerOf(folder: string): { header: Record<string, Entry>; bytes: number } {
  const file = readFileSync(join(folder, 'model.safetensors'));
  const length = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<string, Entry>;
  return { header, bytes: file.length - 8 - length };
}

/** Gives the data bytes that differ from place to place. */
function number(path: string): void {
  const file = readFileSync(path);
  for (let i = 8 + Number(file.readBigUInt64LE()); i < file.length; i++) file[i] = (i * 7) % 61;
  writeFileSync(path, file);
}

describe('the language model of a multimodal Gemma 3', () => {
  for (const [title, rename] of Object.entries(LAYOUTS)) {
    it(`opens as a model of its own: ${title}`, async () => {
      const checkpoint = await openCheckpoint(writeWhole(rename));
      const { architecture, config, tensors, others, notes } = checkpoint;
      assert.equal(architecture?.family, 'gemma3_text');
      assert.deepEqual([architecture.tied, architecture.eosTokenIds], [true, [1, 6]]);
      const windows = architecture.layers.map(plainShape).map(({ window }) => window);
      assert.deepEqual(windows, [4, 4, 4, 4, 4, null, 4]);
      assert.deepEqual([config?.model_type, config?.architectures], ['gemma3_text', ['Gemma3ForCausalLM']]);
      assert.ok(tensors.has('model.layers.6.self_attn.q_norm.weight'));
      assert.deepEqual(
        [...(others ?? [])],
        VISION.map(([name]) => name),
      );
      assert.deepEqual(notes, [
        'the language model of a multimodal checkpoint (text_config); 3 tensors of the vision part are left out',
      ]);
      const summary = summarize(checkpoint);
      assert.equal(summary.bytes, bytesOnDisk(checkpoint.folder));
      const { blocks, other } = tensorsByPlace(checkpoint);
      assert.deepEqual([blocks.length, other.tensors.length], [7, 3]);
      assert.equal(blocks[0].tensors.length, blocks[1].tensors.length);
    });

    it(`is written without the vision part: ${title}`, async () => {
      const folder = writeWhole(rename);
      const out = join(temporaryFolder(), 'pruned');
      await writePruned(await openCheckpoint(folder), [1, 4], out);
      const written = await openCheckpoint(out);
      assert.deepEqual(
        [...written.tensors.keys()].filter((name) => /vision|modal|language/.test(name)),
        [],
      );
      assert.deepEqual([written.notes, written.others], [[], undefined]);
      const text = readFileSync(join(out, 'config.json'), 'utf8');
      const config = JSON.parse(text) as Config;
      assert.deepEqual(
        config.layer_types,
        [4, 4, 4, null, 4].map((w) => (w ? 'sliding_attention' : 'full_attention')),
      );
      assert.deepEqual([config.num_hidden_layers, config.vision_config, config.text_config], [5, undefined, undefined]);
      assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /language model[^]*vision part/);
      const moved = bytesOf(out, 'model.layers.3.mlp.up_proj.weight');
      assert.deepEqual(moved, bytesOf(folder, rename('model.layers.5.mlp.up_proj.weight')));
    });
  }

  it('keeps the spelling of numbers in the config', async () => {
    const folder = writeWhole(LAYOUTS['transformers 4']);
    const text = JSON.stringify(WHOLE).replace('8.5', '8.0');
    writeFileSync(join(folder, 'config.json'), text);
    const out = join(temporaryFolder(), 'pruned');
    await writePruned(await openCheckpoint(folder), [1], out);
    assert.match(readFileSync(join(out, 'config.json'), 'utf8'), /"factor": 8\.0,/);
  });

  it('takes the sizes of its class where text_config is silent', () => {
    const { text_config: _, ...rest } = WHOLE;
    const config = textConfig({ ...rest, text_config: { model_type: 'gemma3_text' } });
    const sizes = ['vocab_size', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'num_attention_heads'];
    assert.deepEqual(
      sizes.map((name) => config[name]),
      [262208, 2304, 9216, 26, 8],
    );
    assert.deepEqual([config.num_key_value_heads, config.head_dim], [4, 256]);
  });

  it('has the ids of text_config before those of the whole, and what ties the head from the whole', () => {
    const config = textConfig({
      ...WHOLE,
      tie_word_embeddings: false,
      text_config: { ...TEXT, eos_token_id: 3, tie_word_embeddings: true },
    });
    assert.deepEqual([config.eos_token_id, config.tie_word_embeddings], [3, false]);
  });

  it('is refused where it is none that Coppice knows', async () => {
    const config = { ...WHOLE, text_config: { ...TEXT, model_type: 'parrot' } };
    const folder = writeWhole(LAYOUTS['transformers 4']);
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    assert.match((await openCheckpoint(folder)).unsupported?.why ?? '', /parrot/);
  });

  it('names a weight that is there under both names, and one that is missing', async () => {
    const twice = writeWhole(LAYOUTS['transformers 4'], WHOLE, [['model.language_model.norm.weight', [8]]]);
    await rejects(() => openCheckpoint(twice), /"model\.norm\.weight" is stored twice/);
    const missing = writeWhole((name) => LAYOUTS['transformers 5'](name).replace('.3.', '.33.'));
    const refusal = await openCheckpoint(missing).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(refusal instanceof UserError);
    assert.match(refusal.message, /"model\.layers\.3\.[a-z_.]+" is missing/);
    assert.match((await salvageCheckpoint(missing, refusal)).problems.map(String).join(), /model\.layers\.3\./);
  });
});

function bytesOf(folder: string, name: string): Buffer {
  const file = readFileSync(join(folder, 'model.safetensors'));
  const [from, to] = headerOf(folder).header[name].data_offsets;
  const start = 8 + Number(file.readBigUInt64LE());
  return file.subarray(start + from, start + to);
}
