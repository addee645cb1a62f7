/** Rotary settings that stretch a context: what is read, which angles follow, and what is refused. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { rotaryFrequencies } from '../../../src/engine/checkpoint/frequencies';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { rotaryTable } from '../../../src/engine/model/rotary';
import { readReferenceConfig } from '../../reference/config';
import { architectureOf, CONFIG, rejects, type Config } from '../../support/checkpoint-files';
import { assertAllClose, assertClose } from '../../support/close';
import { temporaryFolder } from '../../support/temporary';

/** Heads of 8. */
const WIDE = { hidden_size: 16, max_position_embeddings: 256 };
const PHI = { ...WIDE, model_type: 'phi3', architectures: ['Phi3ForCausalLM'], original_max_position_embeddings: 64 };
const YARN = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 };
const LONG = { type: 'longrope', short_factor: [1, 1.1, 1.2, 1.3], long_factor: [2, 3, 4, 5] };
const DYNAMIC = { type: 'dynamic', factor: 3 };

interface Angles {
  readonly frequencies: readonly number[];
  readonly magnitude?: number;
  /** Tokens of the sequence; 60 if undefined. */
  readonly length?: number;
}

/** Frequencies and factors to six digits, as transformers 5 computes them (modeling_rope_utils). */
const OF_TRANSFORMERS: readonly [string, Config, Angles][] = [
  ['yarn', { ...WIDE, rope_scaling: YARN }, { frequencies: [1, 0.0625, 0.0025, 0.00025], magnitude: 1.1386294 }],
  [
    'yarn with mscale',
    { ...WIDE, rope_scaling: { ...YARN, mscale: 0.707, mscale_all_dim: 1.3 } },
    { frequencies: [1, 0.0625, 0.0025, 0.00025], magnitude: 0.93034572 },
  ],
  [
    'yarn with bounds between pairs',
    { ...WIDE, rope_scaling: { ...YARN, truncate: false, beta_fast: 8 } },
    { frequencies: [1, 0.0256644, 0.0025, 0.00025], magnitude: 1.1386294 },
  ],
  [
    'yarn with a factor of its own',
    { ...WIDE, rope_parameters: { ...YARN, rope_theta: 10000, attention_factor: 1.25, beta_slow: 2 } },
    { frequencies: [1, 0.025, 0.0025, 0.00025], magnitude: 1.25 },
  ],
  [
    'dynamic within the context',
    { ...WIDE, rope_scaling: DYNAMIC },
    { frequencies: [1, 0.1, 0.01, 0.001], length: 200 },
  ],
  [
    'dynamic beyond the context',
    { ...WIDE, rope_scaling: DYNAMIC },
    { frequencies: [1, 0.0719257, 0.0051733, 0.000372093], length: 400 },
  ],
  [
    'longrope in a text of the original length',
    { ...PHI, rope_scaling: LONG },
    { frequencies: [1, 0.0909091, 0.00833333, 0.000769231], magnitude: 1.1547005, length: 64 },
  ],
  [
    'longrope in a longer text',
    { ...PHI, rope_scaling: LONG },
    { frequencies: [0.5, 0.0333333, 0.0025, 0.0002], magnitude: 1.1547005, length: 65 },
  ],
];

/** What else a config can say; the reference reads it too, from the definitions. */
const OTHERS: readonly [string, Config][] = [
  ['yarn without an original length', { ...WIDE, rope_scaling: { type: 'yarn', factor: 4 } }],
  ['yarn that looks beside its factors only', { ...WIDE, original_max_position_embeddings: 32, rope_scaling: YARN }],
  ['yarn without a factor', { ...WIDE, rope_scaling: { type: 'yarn', original_max_position_embeddings: 64 } }],
  ['yarn with one mscale of two', { ...WIDE, rope_scaling: { ...YARN, mscale: 0.7, mscale_all_dim: 0 } }],
  ['yarn that stretches nothing', { ...WIDE, rope_scaling: { ...YARN, factor: 1 } }],
  ['yarn whose bounds meet', { ...WIDE, rope_scaling: { ...YARN, truncate: false, beta_fast: 4, beta_slow: 4 } }],
  ['yarn for a long original', { ...WIDE, rope_scaling: { ...YARN, original_max_position_embeddings: 100_000 } }],
  ['longrope named su', { ...PHI, rope_scaling: { ...LONG, type: 'su' } }],
  ['longrope named yarn', { ...PHI, rope_scaling: { ...LONG, type: 'yarn' } }],
  ['longrope with its own factors', { ...PHI, rope_scaling: { ...LONG, factor: 16, attention_factor: 1.1 } }],
  ['longrope with a factor', { ...PHI, rope_scaling: { ...LONG, factor: 16 } }],
  ['longrope in a short context', { ...PHI, max_position_embeddings: 48, rope_scaling: LONG }],
  [
    'longrope with the length beside the factors',
    { ...WIDE, rope_scaling: { ...LONG, original_max_position_embeddings: 30 } },
  ],
  [
    'longrope with both lengths: the upper one',
    { ...PHI, rope_scaling: { ...LONG, original_max_position_embeddings: 30 } },
  ],
  [
    'longrope with the length that Phi-3 assumes',
    {
      ...PHI,
      max_position_embeddings: 16384,
      original_max_position_embeddings: undefined,
      rope_scaling: { ...LONG, original_max_position_embeddings: 30 },
    },
  ],
  ['half a head', { ...PHI, partial_rotary_factor: 0.5 }],
  ['most of a head, rounded down', { ...PHI, hidden_size: 24, partial_rotary_factor: 0.7 }],
  ['half a head, in the layout of transformers 5', { ...PHI, rope_parameters: { partial_rotary_factor: 0.5 } }],
  [
    'half a head in longrope',
    { ...PHI, partial_rotary_factor: 0.5, rope_scaling: { ...LONG, short_factor: [1, 2], long_factor: [3, 4] } },
  ],
];

describe('rotary settings', () => {
  for (const [what, changes, { frequencies, magnitude = 1, length = 60 }] of OF_TRANSFORMERS) {
    it(`${what}: the angles of transformers`, () => {
      const { headDim, rope } = plainShape(architectureOf(changes).layers[0]);
      assertAllClose(rotaryFrequencies(rope!, headDim, length), frequencies, { relative: 1e-5 }, 'frequencies');
      // At position 0 the cosine is 1.
      assertClose(rotaryTable(rope!, headDim, length).cos[0], magnitude, { relative: 1e-6 }, 'factor');
      checkReference(changes);
    });
  }

  for (const [what, changes] of OTHERS) it(`${what}: the angles of the reference`, () => checkReference(changes));

  it('in kinds of blocks of their own, in both layouts', () => {
    const gemma = {
      ...WIDE,
      model_type: 'gemma3_text',
      architectures: ['Gemma3ForCausalLM'],
      head_dim: 8,
      num_key_value_heads: 1,
      sliding_window_pattern: 2,
    };
    const linear = { rope_type: 'linear', factor: 8 };
    const parameters = { sliding_attention: { rope_theta: 300 }, full_attention: { rope_theta: 5e5, ...linear } };
    for (const rope of [{}, { rope_local_base_freq: 300, rope_theta: 5e5, rope_scaling: linear }, { parameters }]) {
      const { parameters: nested, ...flat } = rope as { parameters?: unknown };
      const changes = { ...gemma, ...flat, ...(nested !== undefined && { rope_parameters: nested }) };
      const thetas = architectureOf(changes)
        .layers.map(plainShape)
        .map(({ rope: r }) => r?.theta);
      const [local, global] = Object.keys(rope).length === 0 ? [1e4, 1e6] : [300, 5e5];
      assert.deepEqual(thetas, [local, global, local]);
      checkReference(changes);
    }
  });

  const refused: readonly [string, Config, RegExp][] = [
    [
      'a list for another width',
      { ...PHI, rope_scaling: { ...LONG, long_factor: [1, 2, 3] } },
      /long_factor[^]*3 numbers[^]*4 pairs/,
    ],
    [
      'lists of whole heads',
      { ...PHI, partial_rotary_factor: 0.5, rope_scaling: LONG },
      /short_factor[^]*4 numbers[^]*2 pairs/,
    ],
    ['no list', { ...PHI, rope_scaling: { ...LONG, short_factor: undefined } }, /short_factor[^]*not a list/],
    ['a negative divisor', { ...PHI, rope_scaling: { ...LONG, short_factor: [1, 1, -1, 1] } }, /short_factor[^]*-1/],
    ['a divisor of 0', { ...PHI, rope_scaling: { ...LONG, long_factor: [1, 0, 1, 1] } }, /long_factor[^]*0/],
    ['a divisor that is a text', { ...PHI, rope_scaling: { ...LONG, long_factor: [1, '2', 1, 1] } }, /long_factor/],
    ['a negative factor', { ...WIDE, rope_scaling: { ...YARN, factor: -4 } }, /factor[^]*-4/],
    ['a factor of 0 on cosines', { ...WIDE, rope_scaling: { ...YARN, attention_factor: 0 } }, /attention_factor[^]*0/],
    ['a negative number of turns', { ...WIDE, rope_scaling: { ...YARN, beta_fast: -32 } }, /beta_fast[^]*-32/],
    ['a negative mscale', { ...WIDE, rope_scaling: { ...YARN, mscale: -1, mscale_all_dim: 1 } }, /mscale[^]*-1/],
    ['truncate as a number', { ...WIDE, rope_scaling: { ...YARN, truncate: 1 } }, /truncate[^]*1/],
    ['yarn with a base of 1', { ...WIDE, rope_theta: 1, rope_scaling: YARN }, /rope_theta[^]*1/],
    ['dynamic without a factor', { ...WIDE, rope_scaling: { type: 'dynamic' } }, /factor[^]*missing/],
    ['half a length', { ...PHI, original_max_position_embeddings: 64.5, rope_scaling: LONG }, /original_max_position/],
    [
      'an original length of 1',
      { ...PHI, original_max_position_embeddings: 1, rope_scaling: LONG },
      /original_max_pos/,
    ],
    [
      'an odd number of entries',
      { ...PHI, hidden_size: 20, head_dim: 10, partial_rotary_factor: 0.5 },
      /partial_rotary/,
    ],
    ['no entry', { ...PHI, partial_rotary_factor: 0.1 }, /partial_rotary_factor/],
    ['more than a head', { ...PHI, partial_rotary_factor: 1.5 }, /partial_rotary_factor/],
    ['a negative part', { ...PHI, partial_rotary_factor: -0.5 }, /partial_rotary_factor[^]*-0.5/],
  ];
  for (const [what, changes, message] of refused) {
    it(`${what}: names the field`, () => rejects(() => readConfigArchitecture({ ...CONFIG, ...changes }), message));
  }

  it('a part of a head in a family that turns whole ones: not computed', () => {
    const result = readConfigArchitecture({ ...CONFIG, ...WIDE, partial_rotary_factor: 0.5 });
    assert.ok('why' in result);
    assert.match(result.why, /partial_rotary_factor/);
  });
});

/** Frequencies and factor of every block as the reference has them, around every bound of a length. */
function checkReference(changes: Config): void {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...CONFIG, ...changes }));
  const reference = readReferenceConfig(folder);
  for (const [block, { headDim, rope }] of architectureOf(changes).layers.map(plainShape).entries()) {
    for (const length of [1, 30, 31, 64, 65, 256, 257, 4096, 4097]) {
      const { frequencies, magnitude } = reference.layers[block].rotation!(length);
      assertAllClose(rotaryFrequencies(rope!, headDim, length), frequencies, { relative: 1e-12 }, `${length} tokens`);
      const { cos } = rotaryTable(rope!, headDim, 1, { sequence: length });
      assertClose(cos[0], magnitude, { relative: 1e-7 }, 'factor');
    }
  }
}
