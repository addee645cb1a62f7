/** Config edits: what is per layer follows, what only looks like it stays, and so does the spelling of numbers. */
import assert from 'node:assert/strict';
import { type Architecture, PLAIN_STYLE } from '../../../src/engine/checkpoint/architecture';
import { type PlainShape, plainLayer } from '../../../src/engine/checkpoint/kinds/plain';
import { configEdits, editConfigText } from '../../../src/engine/write/config';

const kept = [0, 2, 3, 5];

function architectureWith(windows: (number | null)[] = Array<null>(6).fill(null)): Architecture {
  const layer: Omit<PlainShape, 'window'> = {
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    ffn: 96,
    rope: { theta: 10000, scaling: { kind: 'default' } },
    biases: ['q', 'k', 'v'],
    qkNorm: null,
    fused: false,
  };
  return {
    style: PLAIN_STYLE,
    family: 'qwen2',
    layers: windows.map((window) => plainLayer({ ...layer, window })),
    hidden: 64,
    vocabulary: 320,
    context: 256,
    rmsNormEps: 1e-6,
    tied: false,
    eosTokenIds: [],
  };
}

function edited(config: Record<string, unknown>, architecture = architectureWith(), blocks = kept): unknown {
  const all = { num_hidden_layers: architecture.layers.length, ...config };
  return JSON.parse(editConfigText(JSON.stringify(all), configEdits(all, architecture, blocks)));
}

describe('prune/config', () => {
  it('filters every list of L entries that is per layer, nested ones too', () => {
    const six = ['a', 'b', 'c', 'd', 'e', 'f'];
    const config = {
      layer_types: six,
      no_rope_layers: [1, 1, 1, 0, 1, 0],
      num_key_value_heads_per_layer: [1, 2, 3, 4, 5, 6],
      rope_parameters: { scale_per_block: [0.5, 1, 1.5, 2, 2.5, 3] },
      text_config: { num_hidden_layers: 6, block_configs: six.map((name) => ({ name })) },
    };
    assert.deepEqual(edited(config), {
      num_hidden_layers: 4,
      layer_types: ['a', 'c', 'd', 'f'],
      no_rope_layers: [1, 1, 0, 0],
      num_key_value_heads_per_layer: [1, 3, 4, 6],
      rope_parameters: { scale_per_block: [0.5, 1.5, 2, 3] },
      text_config: {
        num_hidden_layers: 4,
        block_configs: [{ name: 'a' }, { name: 'c' }, { name: 'd' }, { name: 'f' }],
      },
    });
  });

  it('leaves what only happens to be six long', () => {
    const six = [0, 1, 2, 3, 4, 5];
    const config = {
      eos_token_id: six,
      suppress_tokens: six,
      architectures: ['a', 'b', 'c', 'd', 'e', 'f'],
      rope_scaling: { long_factor: six, short_factor: six, mrope_section: six },
      vision_config: { num_hidden_layers: 6, layer_types: six },
      other: [1, 2, 3],
    };
    assert.deepEqual(edited(config), { num_hidden_layers: 4, ...config });
  });

  it('leaves limits and factors of a part, however many blocks there are', () => {
    const lists = { time_step_limit: [0, 1], mlp_multipliers: [0.5, 2] };
    const two = architectureWith([null, null]);
    assert.deepEqual(edited(lists, two, [1]), { num_hidden_layers: 1, ...lists });
  });

  it('renumbers lists of block numbers', () => {
    assert.deepEqual(edited({ mlp_only_layers: [1, 2, 5], moe_layers: [0, 1, 2, 3, 4, 5], aux_layers: [] }), {
      num_hidden_layers: 4,
      mlp_only_layers: [1, 3],
      moe_layers: [0, 1, 2, 3],
      aux_layers: [],
    });
    assert.deepEqual(edited({ no_rope_layers: [0, 1] }, architectureWith([null, null]), [1]), {
      num_hidden_layers: 1,
      no_rope_layers: [1],
    });
  });

  it('writes layer_types out where max_window_layers divides the blocks', () => {
    const mixed = architectureWith([null, null, 12, 12, 12, 12]);
    const types = ['full_attention', 'sliding_attention', 'sliding_attention', 'sliding_attention'];
    const windows = { use_sliding_window: true, sliding_window: 12 };
    assert.deepEqual(edited({ ...windows, max_window_layers: 2 }, mixed), {
      num_hidden_layers: 4,
      ...windows,
      max_window_layers: 1,
      layer_types: types,
    });
    // The class's default of 28 full blocks holds for the whole model only.
    const deep = { ...architectureWith(Array.from({ length: 30 }, (_, i) => (i < 28 ? null : 12))), blocks: 30 };
    const result = edited(windows, deep, [0, 1, 27, 28]) as Record<string, unknown>;
    assert.equal(result.max_window_layers, 3);
    assert.deepEqual(result.layer_types, ['full_attention', 'full_attention', 'full_attention', 'sliding_attention']);
  });

  it('keeps max_window_layers beyond the last block, and adds no layer_types without windows', () => {
    const off = { use_sliding_window: false, sliding_window: null };
    assert.deepEqual(edited({ ...off, max_window_layers: 28 }), {
      num_hidden_layers: 4,
      ...off,
      max_window_layers: 28,
    });
    assert.deepEqual(edited({ ...off, max_window_layers: 6 }), { num_hidden_layers: 4, ...off, max_window_layers: 4 });
  });

  it('keeps numbers, strings and the order of keys as they are written', () => {
    const text = `\uFEFF{"z":10000.0,"num_hidden_layers":6,"a":"1e-5 \\"7\\" \\u0000 5","rms_norm_eps":1e-05,"n":[-0.0,1E3],"big":12345678901234567890,"t":[-Infinity,"Infinity"]}`;
    const edits = configEdits({ num_hidden_layers: 6 }, architectureWith(), kept);
    assert.equal(
      editConfigText(text, edits),
      `{\n  "z": 10000.0,\n  "num_hidden_layers": 4,\n  "a": "1e-5 \\"7\\" \\u0000 5",\n  "rms_norm_eps": 1e-05,\n  "n": [\n    -0.0,\n    1E3\n  ],\n  "big": 12345678901234567890,\n  "t": [\n    -Infinity,\n    "Infinity"\n  ]\n}\n`,
    );
  });
});
