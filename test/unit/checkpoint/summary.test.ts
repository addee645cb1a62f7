/** What `inspect` shows: of models that can be computed with, and of anything else. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { parametersOf, parametersOfLayer } from '../../../src/engine/checkpoint/parameters';
import { summarize, type Summary } from '../../../src/engine/checkpoint/summary';
import { itShared, shared, smollm2Folder } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { architectureOf, CONFIG, layOut, writeModel, writeRaw } from '../../support/checkpoint-files';

const summaryOf = async (path: string): Promise<Summary> => summarize(await openCheckpoint(path));

describe('summary', () => {
  it('of a model gives the architecture and its arithmetic', async () => {
    const folder = writeModel();
    const { identity, ...summary } = await summaryOf(folder);
    assert.match(identity, /^[0-9a-f]{64}$/);
    const parameters = parametersOf(architectureOf());
    assert.deepEqual(summary, {
      path: folder,
      format: 'safetensors',
      architecture: 'llama',
      coppiceOnly: false,
      blocks: 3,
      parameters,
      bytes: 2 * parameters,
      dtypes: { BF16: parameters },
      tied: false,
      vocabulary: 10,
      hidden: 8,
      heads: 2,
      kvHeads: 2,
      headDim: 4,
      ffn: 12,
      context: 2048,
      blockParameters: new Array(3).fill(parametersOfLayer(architectureOf(), 0)),
      shards: 1,
      unsupported: null,
      notes: [],
    });
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

  it('of a quantised model counts what the weights stand for', async () => {
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

  itShared('of SmolLM2-135M', async () => {
    const summary = await summaryOf(smollm2Folder());
    assert.equal(summary.parameters, 134_515_008);
    assert.equal(summary.bytes, 269_030_016);
    assert.deepEqual(summary.dtypes, { BF16: 134_515_008 });
  });

  itShared('of an MLX checkpoint shows packed types and true parameters', async () => {
    const summary = await summaryOf(shared('models/arch/tiny_llama3_tied'));
    assert.ok('U32' in summary.dtypes);
    assert.equal(summary.tied, true);
    assert.equal(summary.parameters, 256 * 64 + 2 * (64 * 64 * 2 + 32 * 64 * 2 + 3 * 128 * 64 + 2 * 64) + 64);
  });
});
