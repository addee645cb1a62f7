/** Exact parameter counts of published models (Shortened LLaMA, Table 1) and the weights behind them. */
import assert from 'node:assert/strict';
import { withoutLayers } from '../../../src/engine/checkpoint/architecture';
import { parametersOf, parametersOfLayer } from '../../../src/engine/checkpoint/parameters';
import {
  allWeights,
  blockOfTensor,
  blockTensorName,
  blockWeights,
  outerWeights,
} from '../../../src/engine/checkpoint/weight-names';
import { architectureOf, type Config } from '../../support/checkpoint-files';

const llama = (hidden: number, ffn: number, blocks: number, heads: number, more: Config = {}): Config => ({
  hidden_size: hidden,
  intermediate_size: ffn,
  num_hidden_layers: blocks,
  num_attention_heads: heads,
  vocab_size: 32000,
  ...more,
});
const LLAMA_7B = llama(4096, 11008, 32, 32);
const LLAMA_13B = llama(5120, 13824, 40, 40);

describe('parameter arithmetic', () => {
  const models: [string, Config, number][] = [
    ['LLaMA-7B and Vicuna-7B', LLAMA_7B, 6_738_415_616],
    ['Vicuna-13B', LLAMA_13B, 13_015_864_320],
    ['Llama-3-8B', llama(4096, 14336, 32, 32, { num_key_value_heads: 8, vocab_size: 128256 }), 8_030_261_248],
    ['Mistral-7B', llama(4096, 14336, 32, 32, { model_type: 'mistral', num_key_value_heads: 8 }), 7_241_732_096],
    [
      'SmolLM2-135M',
      llama(576, 1536, 30, 9, { num_key_value_heads: 3, vocab_size: 49152, tie_word_embeddings: true }),
      134_515_008,
    ],
    [
      'Qwen2.5-0.5B',
      llama(896, 4864, 24, 14, {
        model_type: 'qwen2',
        num_key_value_heads: 2,
        vocab_size: 151936,
        tie_word_embeddings: true,
      }),
      494_032_768,
    ],
    [
      'Qwen3-0.6B',
      llama(1024, 3072, 28, 16, {
        model_type: 'qwen3',
        num_key_value_heads: 8,
        head_dim: 128,
        vocab_size: 151936,
        tie_word_embeddings: true,
      }),
      596_049_920,
    ],
  ];
  for (const [name, config, parameters] of models) {
    it(`${name} has ${parameters.toLocaleString('en')} parameters`, () => {
      assert.equal(parametersOf(architectureOf(config)), parameters);
    });
  }

  const pruned: [string, Config, number, number][] = [
    ['7B', LLAMA_7B, 6, 5_524_115_456],
    ['7B', LLAMA_7B, 9, 4_916_965_376],
    ['7B', LLAMA_7B, 11, 4_512_198_656],
    ['13B', LLAMA_13B, 8, 10_478_228_480],
    ['13B', LLAMA_13B, 11, 9_526_615_040],
    ['13B', LLAMA_13B, 15, 8_257_797_120],
  ];
  for (const [name, config, removed, parameters] of pruned) {
    it(`${name} without ${removed} blocks has ${parameters.toLocaleString('en')}`, () => {
      const architecture = architectureOf(config);
      assert.equal(
        parametersOf(
          withoutLayers(
            architecture,
            Array.from({ length: removed }, (_, i) => i),
          ),
        ),
        parameters,
      );
      assert.equal(parametersOf(architecture) - removed * parametersOfLayer(architecture, 0), parameters);
    });
  }

  it('counts biases and the norms of queries and keys', () => {
    const plain = parametersOfLayer(architectureOf(), 0);
    assert.equal(parametersOfLayer(architectureOf({ attention_bias: true }), 0) - plain, 4 * 8);
    assert.equal(parametersOfLayer(architectureOf({ mlp_bias: true }), 0) - plain, 12 + 12 + 8);
    const qwen3 = { model_type: 'qwen3', num_key_value_heads: 2, head_dim: 4 };
    assert.equal(parametersOfLayer(architectureOf(qwen3), 0) - plain, 2 * 4);
  });
});

describe('weights', () => {
  it('have shapes (out, in) that follow heads and head size', () => {
    const architecture = architectureOf({ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 6 });
    const { q, k, o, down, qBias } = blockWeights(architecture, 2);
    assert.deepEqual(q, { name: 'model.layers.2.self_attn.q_proj.weight', shape: [24, 8] });
    assert.deepEqual(k?.shape, [12, 8]);
    assert.deepEqual(o?.shape, [8, 24]);
    assert.deepEqual(down?.shape, [8, 12]);
    assert.equal(qBias, undefined);
  });

  it('list the embedding once when the head shares it', () => {
    const tied = architectureOf({ tie_word_embeddings: true });
    const { embed, head } = outerWeights(tied);
    assert.equal(head, embed);
    const names = (a: typeof tied): string[] => [...allWeights(a)].map((weight) => weight.name);
    assert.equal(names(tied).includes('lm_head.weight'), false);
    assert.equal(names(architectureOf()).at(-1), 'lm_head.weight');
    assert.equal(names(architectureOf()).length, 3 * 9 + 3);
  });

  it('find their block by name and back', () => {
    assert.deepEqual(blockOfTensor('model.layers.12.mlp.up_proj.weight'), { block: 12, rest: 'mlp.up_proj.weight' });
    assert.equal(blockTensorName(3, 'mlp.up_proj.weight'), 'model.layers.3.mlp.up_proj.weight');
    for (const name of ['model.norm.weight', 'model.layers.01.x', 'model.layers.1', 'x.model.layers.1.y']) {
      assert.equal(blockOfTensor(name), undefined);
    }
  });
});
