/** How a config describes a narrower model. bench/width-files.ts checks with transformers that the classes compute it. */
import assert from 'node:assert/strict';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { type PlainShape, plainLayer, plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { editConfigText } from '../../../src/engine/write/config';
import { describeWidth, type WidthDescription } from '../../../src/engine/write/width-config';
import { architectureOf, CONFIG, type Config } from '../../support/checkpoint-files';

interface Described extends WidthDescription {
  readonly config: Config;
}

/** Describes the model of `config` with `shape` in its blocks; checks that the new config says it. */
function described(config: Config, ...shapes: readonly Partial<PlainShape>[]): Described {
  const whole = { ...CONFIG, ...config };
  const architecture = architectureOf(config);
  const layers = architecture.layers.map((layer, i) =>
    plainLayer({ ...plainShape(layer), ...shapes[i % shapes.length] }),
  );
  const description = describeWidth(whole, { ...architecture, layers });
  const after = JSON.parse(editConfigText(JSON.stringify(whole), description.edits)) as Config;
  assert.deepEqual(readConfigArchitecture(after), description.architecture);
  return { ...description, config: after };
}

const wide = { hidden_size: 64, num_attention_heads: 8 };
const two = { heads: 2, kvHeads: 2, ffn: 7 };
const three = { heads: 3, kvHeads: 3, ffn: 7 };
const compensated = { biases: ['o', 'down'] } as const;

describe('the config of a narrower model', () => {
  it('is one of its own class where that takes the heads', () => {
    const { runs, why, zeros, config } = described(wide, two);
    assert.deepEqual([runs, why, zeros], ['LlamaForCausalLM', undefined, []]);
    const heads = { num_attention_heads: 2, num_key_value_heads: 2, head_dim: 8, intermediate_size: 7 };
    assert.deepEqual(config, { ...CONFIG, ...wide, ...heads, attention_bias: false, mlp_bias: false });
  });

  it('is Mistral without a window where heads do not divide the hidden size, with all that LLaMA takes for granted', () => {
    const { runs, why, config, zeros } = described(
      { ...wide, sliding_window: 3, layer_types: Array<string>(3).fill('full_attention') },
      three,
    );
    assert.deepEqual([runs, zeros], ['MistralForCausalLM', []]);
    assert.match(why ?? '', /LlamaForCausalLM refuses 3 heads in a hidden size of 64/);
    assert.deepEqual(config, {
      ...CONFIG,
      ...wide,
      model_type: 'mistral',
      architectures: ['MistralForCausalLM'],
      num_attention_heads: 3,
      num_key_value_heads: 3,
      head_dim: 8,
      intermediate_size: 7,
      sliding_window: null,
      tie_word_embeddings: false,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-6,
      bos_token_id: 1,
      eos_token_id: 2,
      pad_token_id: null,
      attention_dropout: 0,
    });
  });

  it('keeps the rotation, and says nothing of tokens that there are none of', () => {
    const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
    const rope = { rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...llama3 }, eos_token_id: null };
    const { runs, config } = described({ ...wide, ...rope }, three);
    assert.equal(runs, 'MistralForCausalLM');
    assert.deepEqual([config.rope_theta, config.rope_scaling, config.eos_token_id], [5e5, rope.rope_scaling, null]);
  });

  it('has zeros for biases that a class knows only together', () => {
    const llama = described(wide, { ...two, ...compensated });
    assert.deepEqual([llama.runs, llama.why], ['LlamaForCausalLM', undefined]);
    assert.deepEqual(llama.zeros, ['q', 'k', 'v', 'gate', 'up']);
    const own = described({ ...wide, attention_bias: true }, { ...two, biases: ['q', 'k', 'v', 'o', 'down'] });
    assert.deepEqual(own.zeros, ['gate', 'up']);
    const seed = described(wide, { ...three, ...compensated });
    assert.deepEqual([seed.runs, seed.zeros], ['SeedOssForCausalLM', ['gate', 'up']]);
    const { attention_bias, attention_out_bias, mlp_bias, residual_dropout } = seed.config;
    assert.deepEqual([attention_bias, attention_out_bias, mlp_bias, residual_dropout], [false, true, true, 0]);
    assert.match(seed.why ?? '', /Mistral[^]*no bias in o_proj, down_proj/);
  });

  it('of other families is theirs, or another one where that cannot be told', () => {
    const qwen2 = { ...wide, model_type: 'qwen2', num_key_value_heads: 8 };
    const queries = ['q', 'k', 'v'] as const;
    assert.equal(described(qwen2, { ...three, biases: queries }).runs, 'Qwen2ForCausalLM');
    const biases = [...queries, 'o', 'down'] as const;
    const plain = described(qwen2, { ...two, biases });
    assert.deepEqual([plain.runs, plain.zeros], ['LlamaForCausalLM', ['gate', 'up']]);
    assert.equal(plain.architecture.bosTokenId, undefined, 'qwen2 has none by default');
    assert.equal(described(qwen2, { ...three, biases }).runs, 'SeedOssForCausalLM');
    const windows = { ...qwen2, use_sliding_window: true, sliding_window: 3, max_window_layers: 1 };
    const windowed = described(windows, { ...two, biases });
    assert.deepEqual([windowed.runs, windowed.config.model_type], [null, 'coppice']);
    assert.match(windowed.why ?? '', /Qwen2ForCausalLM has no bias in o_proj, down_proj/);
    const mistral = { ...wide, model_type: 'mistral', num_key_value_heads: 8 };
    assert.equal(described({ ...mistral, sliding_window: 4 }, three).runs, 'MistralForCausalLM');
    assert.equal(described({ ...mistral, sliding_window: 4 }, { ...two, ...compensated }).runs, null);
    assert.equal(described({ ...mistral, sliding_window: null }, { ...two, ...compensated }).runs, 'LlamaForCausalLM');
    const qwen3 = { ...wide, model_type: 'qwen3', num_key_value_heads: 8 };
    assert.equal(described(qwen3, three).runs, 'Qwen3ForCausalLM');
    assert.equal(described(qwen3, { ...two, ...compensated }).runs, null);
  });

  it('lists blocks that differ, and drops what would make transformers read it', () => {
    const { runs, why, config, zeros } = described({ ...wide, auto_map: { AutoConfig: 'x.Y' } }, two, three);
    assert.deepEqual([runs, why, zeros], [null, 'its blocks differ in width', []]);
    const entry = { heads: 2, kv_heads: 2, head_dim: 8, ffn: 7, biases: [] };
    assert.deepEqual(config, {
      ...CONFIG,
      ...wide,
      model_type: 'coppice',
      architectures: ['CoppiceForCausalLM'],
      coppice_family: 'llama',
      coppice_layers: [entry, { ...entry, heads: 3, kv_heads: 3 }, entry],
    });
  });

  it('of blocks that agree again is an ordinary one', () => {
    const { config } = described(wide, two, three);
    const again = described(config, two);
    assert.deepEqual([again.runs, again.config.model_type], ['LlamaForCausalLM', 'llama']);
    assert.ok(!('coppice_layers' in again.config) && !('coppice_family' in again.config));
  });
});
