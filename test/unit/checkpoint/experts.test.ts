/** What configs say of experts, and what is refused. */
import assert from 'node:assert/strict';
import type { LayerShape } from '../../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { familyOf } from '../../../src/engine/checkpoint/families';
import { attentionOf } from '../../../src/engine/checkpoint/kinds/parts';
import { blockWeights } from '../../../src/engine/checkpoint/weight-names';
import { architectureOf, CONFIG, type Config } from '../../support/checkpoint-files';

const qwen: Config = {
  model_type: 'qwen3_moe',
  num_key_value_heads: 2,
  num_experts: 4,
  num_experts_per_tok: 2,
  moe_intermediate_size: 6,
};
const { moe_intermediate_size: _, ...shared } = qwen;
const mixtral: Config = { ...shared, model_type: 'mixtral' };
const kinds = (config: Config): string[] => architectureOf({ ...qwen, ...config }).layers.map(({ ffn }) => ffn.kind);
const expertsOf = (config: Config): LayerShape['ffn'] => architectureOf(config).layers[0].ffn;

describe('experts of a config', () => {
  it('have their number under either name, and are chosen and weighed as the config says', () => {
    const found = { kind: 'experts', count: 4, chosen: 2, width: 6, weighs: 'all' };
    assert.deepEqual(expertsOf(qwen), found);
    const { num_experts: count, ...others } = qwen;
    assert.deepEqual(expertsOf({ ...others, num_local_experts: count }), found);
    assert.deepEqual(expertsOf({ ...qwen, norm_topk_prob: true }), { ...found, weighs: 'chosen' });
    assert.deepEqual(expertsOf(mixtral), { ...found, width: 12, weighs: 'chosen' });
  });

  it('are in the blocks that neither a list nor a rule leaves out', () => {
    assert.deepEqual(kinds({}), ['experts', 'experts', 'experts']);
    assert.deepEqual(kinds({ mlp_only_layers: [1] }), ['experts', 'dense', 'experts']);
    assert.deepEqual(kinds({ decoder_sparse_step: 2 }), ['dense', 'experts', 'dense']);
    assert.deepEqual(kinds({ num_experts: 0 }), ['dense', 'dense', 'dense']);
  });

  it('list the dense blocks by their new numbers when blocks are gone, and leave no rule', () => {
    const config = { ...CONFIG, ...qwen, decoder_sparse_step: 2 };
    const architecture = architectureOf(config);
    const fields = familyOf(architecture).prunedConfig!(config, architecture.layers, [0, 1]);
    assert.deepEqual(fields, { mlp_only_layers: [0], decoder_sparse_step: 1 });
    const { layers } = architectureOf(qwen);
    assert.deepEqual(familyOf(architecture).prunedConfig!({ ...CONFIG, ...qwen }, layers, [0, 1]), {});
  });

  it('are named as their family names them', () => {
    const names = (config: Config): (string | undefined)[] => {
      const weights = blockWeights(architectureOf(config), 1);
      return [weights.router?.name, weights['experts.3.gate']?.name, weights['experts.3.down']?.name];
    };
    assert.deepEqual(names(qwen), [
      'model.layers.1.mlp.gate.weight',
      'model.layers.1.mlp.experts.3.gate_proj.weight',
      'model.layers.1.mlp.experts.3.down_proj.weight',
    ]);
    assert.deepEqual(names(mixtral), [
      'model.layers.1.block_sparse_moe.gate.weight',
      'model.layers.1.block_sparse_moe.experts.3.w1.weight',
      'model.layers.1.block_sparse_moe.experts.3.w2.weight',
    ]);
  });

  it('of gpt-oss are biased and bounded, and blocks have their windows by a list that a pruned config has', () => {
    const { num_experts: count, ...others } = shared;
    const config = { ...others, num_local_experts: count, model_type: 'gpt_oss' };
    const architecture = architectureOf(config);
    const { window, sinks, rope, headDim } = attentionOf(architecture.layers[2]);
    assert.deepEqual([window, sinks, headDim, rope?.theta], [128, true, 64, 150_000]);
    assert.deepEqual([rope?.scaling.kind, attentionOf(architecture.layers[1]).window], ['yarn', null]);
    const fields = familyOf(architecture).prunedConfig!({ ...CONFIG, ...config }, architecture.layers, [1, 2]);
    assert.deepEqual(fields, { layer_types: ['full_attention', 'sliding_attention'] });
    for (const [field, value] of [
      ['swiglu_limit', 5],
      ['attention_bias', false],
    ] as const) {
      const refused = readConfigArchitecture({ ...CONFIG, ...config, [field]: value });
      assert.match('why' in refused ? refused.why : '', new RegExp(field));
    }
  });

  it('are refused by the name of the field', () => {
    assert.throws(() => architectureOf({ ...qwen, num_experts_per_tok: 5 }), /num_experts_per_tok[^]*5 of 4 experts/);
    assert.throws(() => architectureOf({ ...qwen, mlp_only_layers: 'all' }), /mlp_only_layers[^]*not a list/);
    const grouped = readConfigArchitecture({ ...CONFIG, ...qwen, n_group: 2 });
    assert.match('why' in grouped ? grouped.why : '', /chosen in groups \(`n_group`/);
  });
});
