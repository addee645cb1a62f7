/** The files beside ONNX models: what they say follows from the models. */
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireArchitecture } from '../../../../src/engine/checkpoint/open';
import { withLayers } from '../../../../src/engine/checkpoint/architecture';
import type { Checkpoint } from '../../../../src/engine/checkpoint/types';
import { plainShape } from '../../../../src/engine/checkpoint/kinds/plain';
import { ONNX_FILES, type OnnxKind, type OnnxTarget } from '../../../../src/engine/write/onnx/kinds';
import type { OnnxModelFacts } from '../../../../src/engine/write/onnx/write-onnx';
import { type FolderOptions, onnxFolderFiles } from '../../../../src/engine/write/onnx/folder/files';
import { checkpointFolder, type FURTHER_FAMILIES } from '../../../support/golden';
import { openToy } from '../../../support/model';
import { itShared } from '../../../support/shared';
import { temporaryFolder } from '../../../support/temporary';
import { ownTinyCheckpoint, type TinyName } from '../../../support/tiny-models';
import { writeTinyTokenizer } from '../../../support/tiny-tokenizer';

/** Facts as the writer gives them; each model has two files of weights. */
function factsOf(
  checkpoint: Checkpoint,
  kept: readonly number[],
  kinds: readonly OnnxKind[] = ['q4'],
  target: OnnxTarget = 'cpu',
): OnnxModelFacts {
  const models = kinds.map((kind) => ({
    kind,
    file: `onnx/${ONNX_FILES[kind]}`,
    data: ['', '_1'].map((end) => ({ name: `${ONNX_FILES[kind]}_data${end}`, bytes: 2_000_000 })),
    bytes: 4_100_000,
    usesPositionIds: false,
  }));
  return { architecture: withLayers(requireArchitecture(checkpoint), kept), target, models };
}

type Json = Record<string, unknown>;

/** The files of a toy by name, those of JSON parsed. */
async function filesOf(
  checkpoint: Checkpoint,
  facts: OnnxModelFacts,
  options: Partial<FolderOptions> = {},
): Promise<{
  readonly text: (name: string) => string;
  readonly json: (name: string) => Json;
  readonly names: string[];
}> {
  const files = await onnxFolderFiles(checkpoint, facts, { name: 'model', ...options });
  const text = (name: string): string => files.find((file) => file.name === name)!.text;
  return { text, json: (name) => JSON.parse(text(name)) as Json, names: files.map(({ name }) => name) };
}

function withTokenizer(family: (typeof FURTHER_FAMILIES)[number]): string {
  const folder = join(temporaryFolder(), family);
  cpSync(checkpointFolder(`families2/${family}`), folder, { recursive: true });
  writeTinyTokenizer(folder);
  return folder;
}

const toy = (name: TinyName, config: Json = {}): string => ownTinyCheckpoint(name, { tokenizer: true, config });

describe('the folder of ONNX models', () => {
  it('has a config with the numbers of the kept blocks, and the files that browsers fetch', async () => {
    const checkpoint = await openToy(toy('qwen2-layer-types'));
    const kept = [0, 2, 3];
    const { json } = await filesOf(checkpoint, factsOf(checkpoint, kept, ['fp32', 'q8']), { kept });
    const config = json('config.json');
    assert.equal(config.num_hidden_layers, 3);
    assert.equal(config.model_type, 'qwen2');
    assert.deepEqual(config.layer_types, ['sliding_attention', 'sliding_attention', 'full_attention']);
    assert.equal(config.num_key_value_heads, 2);
    assert.deepEqual(config['transformers.js_config'], {
      dtype: 'fp32',
      use_external_data_format: { 'model.onnx': 2, 'model_quantized.onnx': 2 },
    });
  });

  it('tells onnxruntime-genai the graph, its caches and the tokens that end a text', async () => {
    const folder = toy('llama-wide-heads');
    writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: [5, 7], temperature: 0.6 }));
    const checkpoint = await openToy(folder);
    const { json } = await filesOf(checkpoint, factsOf(checkpoint, [0, 1, 2, 3], ['q8', 'q4']));
    const { model, search } = json('genai_config.json') as { model: Json & { decoder: Json }; search: Json };
    assert.equal(model.type, 'llama');
    assert.deepEqual(model.eos_token_id, [5, 7]);
    assert.equal(model.context_length, 256);
    assert.equal(model.decoder.filename, 'onnx/model_quantized.onnx');
    assert.equal(model.decoder.head_size, 24);
    assert.equal(model.decoder.num_hidden_layers, 4);
    assert.deepEqual(search.temperature, 0.6);
    assert.equal(search.past_present_share_buffer, false);
    assert.deepEqual(json('generation_config.json'), {
      eos_token_id: [5, 7],
      temperature: 0.6,
      bos_token_id: checkpoint.architecture!.bosTokenId,
      pad_token_id: checkpoint.config!.pad_token_id,
    });
  });

  it('names a class that other programs know, and no files of onnxruntime-genai for blocks that differ', async () => {
    const checkpoint = await openToy(toy('ragged-plain'));
    const { json, names, text } = await filesOf(checkpoint, factsOf(checkpoint, [0, 1, 2, 3]));
    assert.equal(json('config.json').model_type, 'llama');
    assert.ok(!names.includes('genai_config.json') && !names.includes('examples/python-genai.py'));
    assert.match(text('README.md'), /There is no `genai_config\.json`/);
    assert.ok(!text('README.md').includes('import onnxruntime_genai'));
  });

  for (const [family, inGenai, name] of [
    ['gemma-tied', 'gemma', 'GemmaForCausalLM'],
    ['gemma2-softcap', 'gemma2', 'Gemma2ForCausalLM'],
    ['gemma3-pattern', 'gemma3_text', 'Gemma3ForCausalLM'],
    ['phi3-partial', 'phi3', 'Phi3ForCausalLM'],
    ['granite-multipliers', 'granite', 'GraniteForCausalLM'],
    ['olmo2-postnorm', 'olmo', 'Olmo2ForCausalLM'],
    ['smollm3-nope', 'smollm3', 'SmolLM3ForCausalLM'],
  ] as const) {
    itShared(`names the types under which programs run ${family}`, async () => {
      const checkpoint = await openToy(withTokenizer(family));
      const { layers, family: type } = requireArchitecture(checkpoint);
      const { json } = await filesOf(checkpoint, factsOf(checkpoint, [...layers.keys()]));
      const config = json('config.json');
      assert.deepEqual([config.model_type, config.architectures], [type, [name]]);
      const { model } = json('genai_config.json') as { model: Json & { decoder: Json } };
      const { heads, kvHeads, headDim } = plainShape(layers[0]);
      assert.equal(model.type, inGenai);
      assert.equal(model.decoder.head_size, Math.ceil(headDim / 8) * 8);
      assert.deepEqual([model.decoder.num_attention_heads, model.decoder.num_key_value_heads], [heads, kvHeads]);
      assert.deepEqual([config.num_key_value_heads, config.head_dim], [kvHeads, headDim]);
    });
  }

  for (const [family, room, words] of [
    [
      'phi3-longrope',
      20,
      /^Texts can have 20 tokens, the context before it was extended by longrope; .* announces 240/m,
    ],
    ['llama-dynamic', 32, /^Texts can have 32 tokens: beyond them dynamic scaling/m],
  ] as const) {
    itShared(`says how long texts of ${family} can be`, async () => {
      const checkpoint = await openToy(withTokenizer(family));
      const { layers } = requireArchitecture(checkpoint);
      const { json, text } = await filesOf(checkpoint, factsOf(checkpoint, [...layers.keys()]));
      assert.equal(json('config.json').max_position_embeddings, room);
      const { model, search } = json('genai_config.json') as { model: Json; search: Json };
      assert.deepEqual([model.context_length, search.max_length], [room, room]);
      assert.match(text('README.md'), words);
    });
  }

  it('has the chat template where transformers.js and where others look for it', async () => {
    const folder = toy('llama-plain');
    const template = '{% for message in messages %}{{ message.content }}{% endfor %}';
    writeFileSync(join(folder, 'chat_template.jinja'), template);
    const checkpoint = await openToy(folder);
    const { json, text } = await filesOf(checkpoint, factsOf(checkpoint, [0, 1, 2, 3]));
    assert.equal(json('tokenizer_config.json').chat_template, template);
    assert.equal(typeof json('tokenizer_config.json').tokenizer_class, 'string');
    assert.equal(text('chat_template.jinja'), template);
    assert.match(text('README.md'), /has a chat template/);
  });

  it('has a README with what was done and measured, in which names are names', async () => {
    const folder = toy('llama-plain');
    writeFileSync(join(folder, 'README.md'), '---\nlicense: apache-2.0\ntags:\n- x\n---\n# Toy\n');
    const checkpoint = await openToy(folder);
    const measured = {
      text: 'a `text`.txt',
      machine: 'a <b>machine</b>',
      source: { perplexity: 12.25 },
      kinds: { q4: { perplexity: 13.5, tokensPerSecond: 77 } },
    };
    const kept = [0, 3];
    const facts = factsOf(checkpoint, kept, ['fp32', 'q4']);
    const { text } = await filesOf(checkpoint, facts, { kept, measured, description: 'Healed on *stories*.' });
    const readme = text('README.md');
    assert.match(readme, /^---\nlibrary_name: transformers\.js\n/);
    assert.match(readme, /^license: apache-2\.0$/m);
    assert.match(readme, /without 2 of its 4 Transformer blocks as 2 models in ONNX/);
    assert.match(readme, /^removed {5}1, 2 /m);
    assert.match(readme, /^Healed on \\\*stories\\\*\.$/m);
    assert.match(readme, /^\| fp32 \| .* \| 4\.1 MB \| – \| – \|$/m);
    assert.match(readme, /^\| q4 \| .* \| 4\.1 MB \| 13\.5 \| 77 \|$/m);
    assert.match(readme, /^\| the original \| .* \| 12\.25 \| – \|$/m);
    assert.match(readme, /^Perplexity on ``a `text`\.txt``; tokens per second on a \\<b\\>machine\\<\/b\\>\.$/m);
    assert.match(readme, /GroupQueryAttention/);
    assert.match(readme, /\*\*Not on WebGPU\.\*\*/);
    const other = await filesOf(checkpoint, factsOf(checkpoint, kept, ['fp32'], 'webgpu'), { kept });
    assert.match(other.text('README.md'), /^## For WebGPU$/m);
  });

  it('needs a tokenizer, and says what to do without one', async () => {
    const checkpoint = await openToy(ownTinyCheckpoint('llama-plain'));
    await assert.rejects(filesOf(checkpoint, factsOf(checkpoint, [0, 1, 2, 3])), /tokenizer\.json/);
  });
});
