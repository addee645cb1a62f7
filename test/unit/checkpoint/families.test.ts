/** What a family is built from: names of weights, settings that it reads, fields of a pruned config. */
import assert from 'node:assert/strict';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { FAMILIES, familyOf, familyOfType } from '../../../src/engine/checkpoint/families';
import { decoderWeights } from '../../../src/engine/checkpoint/families/weights';
import { oddSetting } from '../../../src/engine/checkpoint/unsupported-settings';
import { architectureOf, CONFIG } from '../../support/checkpoint-files';

describe('families', () => {
  it('are found by model_type, which no two share', () => {
    assert.equal(new Set(FAMILIES.map(({ modelType }) => modelType)).size, FAMILIES.length);
    for (const family of FAMILIES) assert.equal(familyOfType(family.modelType), family);
    assert.equal(familyOfType('gpt2'), undefined);
    assert.throws(() => familyOf({ family: 'gpt2' }), /no family gpt2/);
  });

  it('are all named to the owner of another model', () => {
    const result = readConfigArchitecture({ ...CONFIG, model_type: 'gpt2' });
    assert.ok('why' in result);
    for (const { modelType } of FAMILIES) assert.ok(result.action.includes(modelType), result.action);
  });

  it('call weights as LLaMA does, but for what they name otherwise', () => {
    const architecture = architectureOf({ attention_bias: true });
    const { block, outer } = decoderWeights({ postNorm: 'pre_ffn_norm', q: 'attn.query', head: 'output' });
    const { mixer, ffn } = block(architecture, 2);
    const { postNorm, q, qBias, k } = { ...mixer, ...ffn };
    assert.deepEqual(
      [postNorm?.name, q?.name, qBias?.name, k?.name],
      [
        'model.layers.2.pre_ffn_norm.weight',
        'model.layers.2.attn.query.weight',
        'model.layers.2.attn.query.bias',
        'model.layers.2.self_attn.k_proj.weight',
      ],
    );
    assert.equal(outer(architecture).head.name, 'output.weight');
    const tied = outer({ ...architecture, tied: true });
    assert.equal(tied.head, tied.embed);
  });

  it('may read settings that are refused to the others', () => {
    const [llama] = FAMILIES;
    const config = { ...CONFIG, no_rope_layers: [1, 0, 1] };
    assert.match(oddSetting(config, llama)?.why ?? '', /no_rope_layers/);
    assert.equal(oddSetting(config, { ...llama, reads: ['no_rope_layers'] }), undefined);
  });
});
