/** Which of llama.cpp's architectures a model is written in, what the file says of it, and which models are refused. */
import assert from 'node:assert/strict';
import { type Architecture, PLAIN_STYLE, type Rope, type Style } from '../../../src/engine/checkpoint/architecture';
import { UserError } from '../../../src/engine/errors';
import { architectureFields, spellingOf } from '../../../src/engine/checkpoint/gguf/spelling';
import { type PlainShape, plainLayer } from '../../../src/engine/checkpoint/kinds/plain';
import { sizeLabel } from '../../../src/engine/write/gguf/general';

const LAYER: PlainShape = {
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

function model(family: string, ...layers: Partial<PlainShape>[]): Architecture {
  const common = { hidden: 64, vocabulary: 320, context: 256, rmsNormEps: 1e-5, tied: true, eosTokenIds: [] };
  return { family, style: PLAIN_STYLE, layers: layers.map((layer) => plainLayer({ ...LAYER, ...layer })), ...common };
}

/** A model of a family that computes otherwise than LLaMA. */
function styled(
  style: Partial<Style>,
  layers: readonly Partial<PlainShape>[],
  more: Partial<Architecture> = {},
): Architecture {
  return { ...model('', ...layers), style: { ...PLAIN_STYLE, ...style }, ...more };
}

const GEMMA = { normOffset: 1, activation: 'gelu', embedScale: 8 } as const;
const GEMMA2 = { ...GEMMA, norms: 'both', scoreScale: 1 / 4, scoreCap: 50, logitCap: 30 } as const;
const GEMMA3 = { ...GEMMA2, scoreCap: null, logitCap: null } as const;
const LOCAL: Rope = { theta: 500, scaling: { kind: 'default' } };
const sliding = { window: 8, rope: LOCAL, qkNorm: 'head' } as const;
const full = { qkNorm: 'head' } as const;
const OLMO = { norms: 'after' } as const;
const olmo = { qkNorm: 'width' } as const;
const unrotated = { rope: null };
const YARN = {
  kind: 'yarn',
  factor: 4,
  originalContext: 64,
  betaFast: 32,
  betaSlow: 1,
  truncate: true,
  magnitude: 1 + 0.1 * Math.log(4),
} as const;
const llama3 = (): Rope => {
  const scaling = { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 64 } as const;
  return { theta: 10_000, scaling };
};
const longrope = (): Rope => {
  const [short, long] = [1, 2].map((first) => Array.from({ length: 8 }, (_, i) => first + i));
  return { theta: 10_000, scaling: { kind: 'longrope', short, long, originalContext: 64, magnitude: 1.25 } };
};
const yarn = (changes: object = {}): Rope => ({ theta: 10_000, scaling: { ...YARN, ...changes } });

const narrow = { heads: 2, kvHeads: 1, ffn: 40 };

describe('gguf/spelling', () => {
  const nameOf = (architecture: Architecture): string => spellingOf(architecture).dialect.name;

  it('equal blocks are llama, others deci, with any biases', () => {
    assert.equal(nameOf(model('llama', {}, {})), 'llama');
    assert.equal(nameOf(model('llama', narrow, narrow)), 'llama');
    assert.equal(nameOf(model('llama', {}, narrow)), 'deci');
    assert.equal(nameOf(model('llama', {}, { ffn: 88 })), 'deci');
    assert.equal(nameOf(model('llama', {}, { biases: ['o', 'down'] })), 'deci');
    assert.equal(nameOf(model('mistral', { biases: ['o', 'down'] })), 'llama');
    assert.ok(spellingOf(model('mistral', {}, narrow)).dialect.paired);
  });

  it('Qwen models have an architecture of their own as long as it fits', () => {
    const biases = ['q', 'k', 'v'] as const;
    assert.equal(nameOf(model('qwen2', { biases }, { biases })), 'qwen2');
    assert.equal(nameOf(model('qwen2', { biases, ...narrow })), 'llama', 'queries are not square');
    assert.equal(nameOf(model('qwen2', { biases: [...biases, 'o', 'down'] })), 'llama');
    assert.equal(nameOf(model('qwen2', { biases }, { biases, ...narrow })), 'deci');
    const { dialect } = spellingOf(model('qwen3', { qkNorm: 'head', ...narrow }));
    assert.deepEqual([dialect.name, dialect.paired], ['qwen3', undefined]);
  });

  it('a window as long as the context is none', () => {
    assert.equal(nameOf(model('mistral', { window: 256 })), 'llama');
    assert.equal(nameOf(model('mistral', { window: 256 }, { window: 300, ...narrow })), 'deci');
    assert.deepEqual(spellingOf(model('mistral', { window: 256 })).notes, []);
  });

  it('says from which length on a window makes a difference, and ignores it otherwise', () => {
    const all = spellingOf(model('mistral', { window: 255 }, { window: 255 }));
    assert.equal(all.dialect.name, 'llama');
    assert.match(all.notes.join(), /^its blocks attend to a window of 255 .* more than 255 tokens/);
    const some = spellingOf(model('qwen2', {}, { window: 8 }, { window: 9 }));
    assert.equal(some.dialect.name, 'llama', 'blocks that differ in nothing else are equal to llama.cpp');
    assert.match(some.notes.join(), /^2 of its 3 blocks attend to a window of 8 .* more than 8 tokens/);
  });

  const refusals: readonly (readonly [why: RegExp, architecture: Architecture])[] = [
    [/different widths/, model('llama', {}, { headDim: 8 })],
    [/is odd/, model('llama', { headDim: 15 })],
    [/different rotations/, model('llama', {}, { rope: { theta: 500, scaling: { kind: 'default' } } })],
    [/does not rotate/, model('llama', { rope: null })],
    [/in some blocks only/, model('qwen3', { qkNorm: 'head' }, {})],
    [/its blocks differ and have normalized/, model('qwen3', { qkNorm: 'head' }, { qkNorm: 'head', ...narrow })],
    [/biases and normalized/, model('qwen3', { qkNorm: 'head', biases: ['o', 'down'] })],
    [/513 blocks/, model('llama', ...Array<object>(513).fill({}))],
    [/head of its own/, styled(GEMMA2, [{}], { tied: false })],
    [/scores have no cap/, styled({ ...GEMMA2, scoreCap: null }, [{}])],
    [/logits have no cap/, styled({ ...GEMMA2, logitCap: null }, [{}])],
    [/cap on the scores/, styled({ ...GEMMA3, scoreCap: 50 }, [full])],
    [/embedding is scaled by another/, styled({ ...GEMMA, embedScale: 7 }, [{}])],
    [/activation is not/, styled({ ...OLMO, activation: 'gelu' }, [olmo])],
    [/factor of the scores/, styled({ ...OLMO, scoreScale: 1 }, [olmo])],
    [/biases on o, which/, styled(GEMMA, [{ biases: ['q', 'k', 'v', 'o'] }])],
    [/heads are 32 numbers wide together/, styled(OLMO, [{ ...olmo, ...narrow }])],
    [/heads are 32 numbers wide together/, model('phi3', { fused: true, ...narrow })],
    [/its blocks differ, and/, styled({ residualScale: 0.5 }, [{}, narrow])],
    [/windows of different widths/, styled(GEMMA2, [{ window: 8 }, { window: 9 }])],
    [/different rotations/, styled(GEMMA3, [sliding, { ...full, window: 8 }])],
    [/rotation of its blocks with a window is scaled/, styled(GEMMA3, [{ ...sliding, rope: yarn() }])],
    [/yarn’s factor of cosines/, styled(GEMMA3, [sliding, { ...full, rope: yarn({ magnitude: 1 }) }])],
    [/block 2 does not rotate/, model('smollm3', {}, {}, unrotated, {})],
    [/block 3 rotates/, model('smollm3', {}, {}, {}, {}, unrotated)],
    [/scaled by LLaMA 3’s rule.*qwen3/, model('qwen3', { qkNorm: 'head', rope: llama3() })],
    [/yarn with bounds of its own.*olmo2/, styled(OLMO, [{ ...olmo, rope: yarn({ truncate: false }) }])],
    [/longrope, which.*gemma/, styled(GEMMA, [{ rope: longrope() }])],
  ];
  for (const [why, architecture] of refusals) {
    it(`refuses a model: ${why.source}`, () => {
      assert.throws(
        () => spellingOf(architecture),
        (error) => error instanceof UserError && why.test(error.why) && error.action !== '',
      );
    });
  }

  it('gives lists for blocks that differ, and numbers for equal ones', () => {
    const fieldsOf = (architecture: Architecture): Map<string, unknown> =>
      new Map(architectureFields(architecture, spellingOf(architecture)));
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

  it('goes by what the blocks compute', () => {
    const names = [
      styled(GEMMA, [{}]),
      styled(GEMMA2, [{ window: 8 }, {}]),
      styled(GEMMA3, [sliding, full], { tied: false }),
      model('phi3', { fused: true, rope: { ...LOCAL, turned: 12 } }),
      styled({ scoreScale: 0.3 }, [{ biases: ['q', 'k', 'v', 'o', 'down'] }]),
      styled(OLMO, [olmo]),
      model('smollm3', {}, {}, {}, unrotated, {}),
      model('smollm3', {}, {}, {}),
      model('qwen2', { biases: ['q', 'k', 'v'], rope: llama3() }),
    ].map(spellingOf);
    assert.deepEqual(
      names.map(({ dialect: { name, paired = false }, ownHead }) => [name, paired, ownHead]),
      [
        ['gemma', false, false],
        ['gemma2', false, false],
        ['gemma3', false, true],
        ['phi3', false, false],
        ['granite', true, false],
        ['olmo2', false, true],
        ['smollm3', true, false],
        ['llama', true, false],
        ['llama', true, false],
      ],
    );
  });

  const said = (architecture: Architecture): Record<string, unknown> =>
    Object.fromEntries(
      spellingOf(architecture).fields.map(([key, value]) => [key, 'value' in value ? value.value : value]),
    );

  it('has factors and caps, and what logits are divided by', () => {
    const granite = { embedScale: 12, residualScale: 0.25, scoreScale: 0.5, logitScale: 1 / 8 };
    assert.deepEqual(said(styled(granite, [{}])), {
      logit_scale: 8,
      embedding_scale: 12,
      residual_scale: 0.25,
      'attention.scale': 0.5,
    });
    assert.deepEqual(said(styled(GEMMA2, [{ window: 8 }, {}])), {
      'attention.sliding_window': 8,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    });
    assert.deepEqual(said(styled(GEMMA3, [sliding, sliding])), {
      'rope.freq_base_swa': 500,
      'attention.sliding_window': 8,
    });
    assert.deepEqual(said(model('phi3', { fused: true, window: 8 })), { 'attention.sliding_window': 8 });
    assert.deepEqual(said(model('phi3', { fused: true })), { 'attention.sliding_window': 0 });
  });

  it('gives the scores another factor by the size of cosines, which enters twice', () => {
    const factor = (architecture: Architecture): unknown => said(architecture)['rope.scaling.attn_factor'];
    assert.equal(factor(styled({ ...GEMMA2, scoreScale: 4 / 4 }, [{}])), 2);
    // llama.cpp knows the largest Gemmas by the number of their blocks, and scales by hidden / heads there.
    const large = { ...GEMMA2, scoreScale: 1 / Math.sqrt(64 / 2) };
    const blocks = (count: number): Architecture =>
      styled(
        large,
        Array.from({ length: count }, (_, block) => ({ ...narrow, window: block % 2 === 0 ? 8 : null })),
      );
    assert.equal(factor(blocks(46)), undefined);
    const pruned = spellingOf(blocks(44));
    const ratio = factor(blocks(44)) as number;
    assert.ok(Math.abs(ratio ** 4 - 0.5) < 1e-12, '1/√32 in place of 1/√16');
    assert.match(pruned.notes.join(), /^its scores have another factor/);
  });

  it('scales rotations by the fields that the architecture has, or by divisors', () => {
    const of = (rope: Rope): Record<string, unknown> => said(model('llama', { rope }));
    const usual = { 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4, 'rope.scaling.original_context_length': 64 };
    assert.deepEqual(of(yarn()), usual);
    assert.deepEqual(of(yarn({ magnitude: 2 * YARN.magnitude })), { ...usual, 'rope.scaling.attn_factor': 2 });
    const own = spellingOf(model('llama', { rope: yarn({ betaFast: 8, magnitude: 3 }) }));
    assert.deepEqual(own.fields, [['rope.scaling.attn_factor', { type: 'f32', value: 3 }]]);
    assert.deepEqual([...own.factors.keys()], ['rope_freqs.weight']);
    assert.deepEqual([...spellingOf(model('llama', { rope: llama3() })).factors.keys()], ['rope_freqs.weight']);
    const long = spellingOf(model('llama', { rope: longrope() }));
    assert.deepEqual([...long.factors.keys()], ['rope_factors_long.weight', 'rope_factors_short.weight']);
    assert.deepEqual(of(longrope()), {
      'rope.scaling.type': 'longrope',
      'rope.scaling.original_context_length': 64,
      'rope.scaling.attn_factor': 1.25,
    });
    const dynamic = spellingOf(
      model('llama', { rope: { theta: 10, scaling: { kind: 'dynamic', factor: 2, context: 256 } } }),
    );
    assert.deepEqual(dynamic.fields, []);
    assert.match(dynamic.notes.join(), /texts of more than 256 tokens/);
  });

  it('labels sizes in few digits', () => {
    const labels = [999, 260_032, 9_940_000, 134_515_008, 6_738_415_616].map(sizeLabel);
    assert.deepEqual(labels, ['999', '260K', '9.9M', '135M', '6.7B']);
  });
});
