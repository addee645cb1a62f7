/** What `inspect` shows: of models that can be computed with, and of anything else. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { parametersOf, parametersOfLayer } from '../../../src/engine/checkpoint/parameters';
import { traitsOf } from '../../../src/engine/checkpoint/traits';
import { summarize, type Summary } from '../../../src/engine/checkpoint/summary';
import { bytesOnDisk } from '../../support/disk';
import { itShared, shared, smollm2Folder } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { architectureOf, CONFIG, layOut, writeModel, writeRaw } from '../../support/checkpoint-files';

const summaryOf = async (path: string): Promise<Summary> => summarize(await openCheckpoint(path));

describe('summary', () => {
  it('of a model gives the architecture and its arithmetic', async () => {
    const folder = writeModel();
    const { identity, shares, ...summary } = await summaryOf(folder);
    assert.ok(
      shares!.blocks > 0 && shares!.embedding > 0 && shares!.blocks + shares!.embedding < 1,
      JSON.stringify(shares),
    );
    assert.match(identity, /^[0-9a-f]{64}$/);
    const parameters = parametersOf(architectureOf());
    assert.deepEqual(summary, {
      path: folder,
      format: 'safetensors',
      architecture: 'llama',
      coppiceOnly: false,
      blocks: 3,
      parameters,
      bytes: bytesOnDisk(folder),
      dtypes: { BF16: parameters },
      tied: false,
      vocabulary: 10,
      hidden: 8,
      heads: 2,
      kvHeads: 2,
      headDim: 4,
      ffn: 12,
      context: 2048,
      traits: {},
      kinds: [0, 1, 2].map((block) => ({ block, attention: 'attention', ffn: 'dense' })),
      blockParameters: new Array(3).fill(parametersOfLayer(architectureOf(), 0)),
      shards: 1,
      unsupported: null,
      notes: [],
    });
  });

  it('says in words what blocks have that those of LLaMA do not', () => {
    const gemma3 = { model_type: 'gemma3_text', num_key_value_heads: 1, head_dim: 4, sliding_window: 5 };
    assert.deepEqual(traitsOf(architectureOf({ ...gemma3, sliding_window_pattern: 2, final_logit_softcapping: 30 })), {
      windows: '5 in 0, 2; none in 1',
      rotation: 'plain in 0, 2; base 1000000 in 1',
      norms: 'before and behind modules, weights + 1, of queries and keys, head by head',
      caps: 'logits at 30',
      factors: 'embedding × 2.82843, scores × 0.0625',
    });
    assert.deepEqual(traitsOf(architectureOf({ model_type: 'phi3', partial_rotary_factor: 0.5, sliding_window: 7 })), {
      windows: '7',
      rotation: '2 of 4 entries',
      fused: 'q, k and v in one matrix, gate and up in one',
    });
    const granite = { model_type: 'granite', embedding_multiplier: 12, residual_multiplier: 0.5, logits_scaling: 8 };
    const factors = 'embedding × 12, scores × 1, residual × 0.5, logits × 0.125';
    assert.deepEqual(traitsOf(architectureOf(granite)), { factors });
    const rotation = 'base 2000000 in 0–1; none in 2';
    const smollm3 = { model_type: 'smollm3', num_key_value_heads: 1, no_rope_layers: [1, 1, 0], attention_bias: true };
    assert.deepEqual(traitsOf(architectureOf(smollm3)), { rotation, biases: 'q, k, v, o' });
  });

  it('counts a tied head once, even where the file stores it again', async () => {
    const folder = writeModel();
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, tie_word_embeddings: true }));
    const summary = await summaryOf(folder);
    assert.equal(summary.tied, true);
    assert.equal(summary.parameters, parametersOf(architectureOf()) - 10 * 8);
    assert.match(summary.notes.join(), /lm_head\.weight/);
  });

  it('of a lone file tells what its tensors tell', async () => {
    const folder = writeModel({ ...CONFIG, tie_word_embeddings: true }, { dtype: 'F32' });
    rmSync(join(folder, 'config.json'));
    const summary = await summaryOf(join(folder, 'model.safetensors'));
    const parameters = parametersOf(architectureOf({ tie_word_embeddings: true }));
    assert.equal(summary.parameters, parameters);
    assert.deepEqual(summary.dtypes, { F32: parameters });
    assert.deepEqual(summary.blockParameters, new Array(3).fill(parametersOfLayer(architectureOf(), 0)));
    const { architecture, blocks, tied, vocabulary, hidden, ffn, heads, kvHeads, headDim, context } = summary;
    assert.deepEqual([architecture, blocks, tied, vocabulary, hidden, ffn], [null, 3, true, 10, 8, 12]);
    assert.deepEqual([heads, kvHeads, headDim, context], [null, null, null, null]);
    assert.match(summary.unsupported?.why ?? '', /config\.json/);
  });

  it('of another model_type names it, and shows what the config states', async () => {
    const folder = writeModel();
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, model_type: 'falcon', head_dim: 'odd' }));
    const summary = await summaryOf(folder);
    assert.equal(summary.architecture, 'falcon');
    assert.equal(summary.heads, 2);
    assert.equal(summary.headDim, null);
    assert.equal(summary.blocks, 3);
  });

  it('of a quantized model counts what the weights stand for', async () => {
    const config = { ...CONFIG, quantization_config: { quant_method: 'awq' } };
    const summary = await summaryOf(writeModel(config));
    assert.equal(summary.parameters, parametersOf(architectureOf()));
    assert.match(summary.unsupported?.why ?? '', /AWQ/);
    assert.deepEqual(Object.keys(summary.unsupported ?? {}), ['why', 'action']);
  });

  it('of tensors that are no blocks has none, and a huge block number makes no huge list', async () => {
    const file = join(temporaryFolder(), 'model.safetensors');
    const { header, bytes } = layOut([
      { name: 'conv.weight', shape: [2, 2] },
      { name: 'model.layers.999999999.x.weight', shape: [1] },
    ]);
    writeRaw(file, header, bytes);
    const summary = await summaryOf(file);
    assert.deepEqual([summary.blocks, summary.blockParameters, summary.parameters], [null, [], 5]);
  });

  itShared('of SmolLM2-135M-Instruct', async () => {
    const summary = await summaryOf(smollm2Folder());
    assert.equal(summary.parameters, 134_515_008);
    assert.ok(summary.bytes > 269_060_552 && summary.bytes < 273e6, 'the file, config and tokenizer');
    assert.deepEqual(summary.dtypes, { BF16: 134_515_008 });
  });

  itShared('of an MLX checkpoint shows packed types and true parameters', async () => {
    const summary = await summaryOf(shared('models/arch/tiny_llama3_tied'));
    assert.ok('U32' in summary.dtypes);
    assert.equal(summary.tied, true);
    assert.equal(summary.parameters, 256 * 64 + 2 * (64 * 64 * 2 + 32 * 64 * 2 + 3 * 128 * 64 + 2 * 64) + 64);
  });
});
