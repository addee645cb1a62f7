/** Models that Coppice inspects only: each is called what it is. */
import assert from 'node:assert/strict';
import { FAMILIES } from '../../../src/engine/checkpoint/families';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { otherKind } from '../../../src/engine/checkpoint/other-kinds';
import { CONFIG } from '../../support/checkpoint-files';

const KINDS: readonly (readonly [pattern: RegExp, types: string])[] = [
  [
    /^a mixture of experts/,
    'qwen2_moe granitemoe granitemoeshared phimoe deepseek_v2 deepseek_v3 dbrx jetmoe glm4_moe ernie4_5_moe',
  ],
  [
    /^a hybrid or state-space model/,
    'mamba mamba2 falcon_mamba jamba zamba zamba2 bamba lfm2_moe qwen3_next qwen3_5 qwen3_5_moe nemotron_h recurrent_gemma rwkv',
  ],
  [
    /^a multimodal model/,
    'llava llava_next qwen2_vl qwen2_5_vl qwen3_vl qwen3_vl_moe mllama phi3_v phi4mm phi4_multimodal paligemma smolvlm idefics3 mistral3 internvl molmo llama4 lfm2_vl granite_speech',
  ],
  [/^a Gemma 3n/, 'gemma3n gemma3n_text'],
  [/^a Gemma 4/, 'gemma4 gemma4_text'],
  [/latent attention/, 'minicpm3'],
  [/encoder/, 'bert t5 t5gemma bart whisper roberta'],
  [/LayerNorm/, 'gpt2 gpt_neox opt bloom falcon mpt phi stablelm starcoder2 cohere olmo'],
];

describe('other kinds of models', () => {
  for (const [pattern, types] of KINDS) {
    it(`are refused as ${pattern.source}, and can be inspected`, () => {
      for (const model_type of types.split(' ')) {
        const result = readConfigArchitecture({ ...CONFIG, model_type });
        assert.ok('why' in result, model_type);
        const [, said = ''] = /^"[^"]+" is (.+)$/.exec(result.why) ?? [];
        assert.match(said, pattern, model_type);
        assert.match(result.action, /llama[^]*can be inspected/);
      }
    });
  }

  it('have other spellings', () => {
    assert.equal(otherKind('RecurrentGemma'), otherKind('recurrent_gemma'));
    assert.equal(otherKind('gpt-neox'), otherKind('gpt_neox'));
  });

  it('do not include a family that Coppice computes with, or one that nobody knows', () => {
    for (const { modelType } of FAMILIES) assert.equal(otherKind(modelType), undefined, modelType);
    assert.equal(otherKind('parrot'), undefined);
  });

  it('include a known type with a part for images', () => {
    const result = readConfigArchitecture({ ...CONFIG, vision_config: { hidden_size: 8 } });
    assert.match('why' in result ? result.why : '', /images or sound/);
  });
});
