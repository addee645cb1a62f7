/** Which of llama.cpp's architectures a model is written as, and which models are refused. */
import assert from 'node:assert/strict';
import { type Architecture, type LayerShape, PLAIN_STYLE } from '../../../../src/engine/checkpoint/architecture';
import { UserError } from '../../../../src/engine/errors';
import { dialectOf } from '../../../../src/engine/write/gguf/dialect';
import { architectureFields, sizeLabel } from '../../../../src/engine/write/gguf/metadata';

const LAYER: LayerShape = {
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  ffn: 96,
  window: null,
  rope: { theta: 10_000, scaling: { kind: 'default' } },
  biases: [],
  qkNorm: null,
  fused: false,
};

function model(family: string, ...layers: Partial<LayerShape>[]): Architecture {
  const common = { hidden: 64, vocabulary: 320, context: 256, rmsNormEps: 1e-5, tied: true, eosTokenIds: [] };
  return { family, style: PLAIN_STYLE, layers: layers.map((layer) => ({ ...LAYER, ...layer })), ...common };
}

const narrow = { heads: 2, kvHeads: 1, ffn: 40 };

describe('gguf/dialect', () => {
  const nameOf = (architecture: Architecture): string => dialectOf(architecture).name;

  it('equal blocks are llama, others deci, with any biases', () => {
    assert.equal(nameOf(model('llama', {}, {})), 'llama');
    assert.equal(nameOf(model('llama', narrow, narrow)), 'llama');
    assert.equal(nameOf(model('llama', {}, narrow)), 'deci');
    assert.equal(nameOf(model('llama', {}, { ffn: 88 })), 'deci');
    assert.equal(nameOf(model('llama', {}, { biases: ['o', 'down'] })), 'deci');
    assert.equal(nameOf(model('mistral', { biases: ['o', 'down'] })), 'llama');
    assert.ok(dialectOf(model('mistral', {}, narrow)).paired);
  });

  it('Qwen models have an architecture of their own as long as it fits', () => {
    const biases = ['q', 'k', 'v'] as const;
    assert.equal(nameOf(model('qwen2', { biases }, { biases })), 'qwen2');
    assert.equal(nameOf(model('qwen2', { biases, ...narrow })), 'llama', 'queries are not square');
    assert.equal(nameOf(model('qwen2', { biases: [...biases, 'o', 'down'] })), 'llama');
    assert.equal(nameOf(model('qwen2', { biases }, { biases, ...narrow })), 'deci');
    const qwen3 = dialectOf(model('qwen3', { qkNorm: 'head', ...narrow }));
    assert.deepEqual([qwen3.name, qwen3.paired], ['qwen3', false]);
  });

  it('a window as long as the context is none', () => {
    assert.equal(nameOf(model('mistral', { window: 256 })), 'llama');
    assert.equal(nameOf(model('mistral', { window: 256 }, { window: 300, ...narrow })), 'deci');
    assert.deepEqual(dialectOf(model('mistral', { window: 256 })).notes, []);
  });

  it('says from which length on a window makes a difference, and ignores it otherwise', () => {
    const all = dialectOf(model('mistral', { window: 255 }, { window: 255 }));
    assert.equal(all.name, 'llama');
    assert.match(all.notes.join(), /^its blocks attend to a window of 255 .* more than 255 tokens/);
    const some = dialectOf(model('qwen2', {}, { window: 8 }, { window: 9 }));
    assert.equal(some.name, 'llama', 'blocks that differ in nothing else are equal to llama.cpp');
    assert.match(some.notes.join(), /^2 of its 3 blocks attend to a window of 8 .* more than 8 tokens/);
  });

  const refusals: readonly (readonly [why: RegExp, architecture: Architecture])[] = [
    [/different widths/, model('llama', {}, { headDim: 8 })],
    [/is odd/, model('llama', { headDim: 15 })],
    [/different rotations/, model('llama', {}, { rope: { theta: 500, scaling: { kind: 'default' } } })],
    [/does not rotate/, model('llama', { rope: null })],
    [/in some blocks only/, model('qwen3', { qkNorm: 'head' }, {})],
    [/its blocks differ and have normalised/, model('qwen3', { qkNorm: 'head' }, { qkNorm: 'head', ...narrow })],
    [/biases and normalised/, model('qwen3', { qkNorm: 'head', biases: ['o', 'down'] })],
    [/513 blocks/, model('llama', ...Array<object>(513).fill({}))],
  ];
  for (const [why, architecture] of refusals) {
    it(`refuses a model: ${why.source}`, () => {
      assert.throws(
        () => dialectOf(architecture),
        (error) => error instanceof UserError && why.test(error.why) && error.action !== '',
      );
    });
  }

  it('gives lists for blocks that differ, and numbers for equal ones', () => {
    const fieldsOf = (architecture: Architecture): Map<string, unknown> =>
      new Map(architectureFields(architecture, dialectOf(architecture)));
    const equal = fieldsOf(model('llama', narrow, narrow));
    assert.deepEqual(equal.get('llama.attention.head_count_kv'), { type: 'u32', value: 1 });
    assert.deepEqual(equal.get('llama.attention.key_length'), { type: 'u32', value: 16 });
    const ragged = fieldsOf(model('llama', {}, narrow));
    const list = (...values: number[]): object => ({ type: 'array', of: 'u32', values });
    assert.deepEqual(ragged.get('deci.block_count'), { type: 'u32', value: 2 });
    assert.deepEqual(ragged.get('deci.attention.head_count'), list(4, 2));
    assert.deepEqual(ragged.get('deci.attention.head_count_kv'), list(2, 1));
    assert.deepEqual(ragged.get('deci.feed_forward_length'), list(96, 40));
    const rope = { theta: 5000, scaling: { kind: 'linear', factor: 4 } } as const;
    const linear = fieldsOf(model('llama', { rope }));
    assert.deepEqual(linear.get('llama.rope.scaling.factor'), { type: 'f32', value: 4 });
    assert.deepEqual(linear.get('llama.rope.freq_base'), { type: 'f32', value: 5000 });
  });

  it('labels sizes in few digits', () => {
    const labels = [999, 260_032, 9_940_000, 134_515_008, 6_738_415_616].map(sizeLabel);
    assert.deepEqual(labels, ['999', '260K', '9.9M', '135M', '6.7B']);
  });
});
