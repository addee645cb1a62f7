/** Configs that list the shape of each block: what they say, and what is refused, by the name of the field. */
import assert from 'node:assert/strict';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { raggedFields } from '../../../src/engine/checkpoint/ragged';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { architectureOf, CONFIG, type Config } from '../../support/checkpoint-files';

const layer = { heads: 2, kv_heads: 1, head_dim: 4, ffn: 5, biases: [] };
const wide = { heads: 6, kv_heads: 3, head_dim: 8, ffn: 12, biases: ['down', 'o'] };
const ragged: Config = {
  model_type: 'coppice',
  architectures: ['CoppiceForCausalLM'],
  coppice_family: 'llama',
  coppice_layers: [layer, wide, layer],
};

/** The entries with a change of the second one. */
const changed = (change: object): Config => ({ coppice_layers: [layer, { ...wide, ...change }, layer] });

describe('coppice_layers', () => {
  it('gives each block its shape, and leaves the rest to the family', () => {
    const { family, layers, ...rest } = architectureOf(ragged);
    const { layers: uniform, family: plain, ...others } = architectureOf();
    assert.equal(family, plain);
    assert.deepEqual(rest, others);
    const shape = { heads: 2, kvHeads: 1, headDim: 4, ffn: 5, biases: [] };
    assert.deepEqual(layers.map(plainShape), [
      { ...plainShape(uniform[0]), ...shape },
      { ...plainShape(uniform[1]), heads: 6, kvHeads: 3, headDim: 8, ffn: 12, biases: ['o', 'down'] },
      { ...plainShape(uniform[2]), ...shape },
    ]);
    assert.deepEqual(architectureOf({ ...ragged, ...raggedFields(family, layers) }).layers, layers);
  });

  it('has the windows of its family', () => {
    const windows = { use_sliding_window: true, sliding_window: 5, max_window_layers: 1, num_key_value_heads: 2 };
    const { layers, family } = architectureOf({ ...ragged, coppice_family: 'qwen2', ...windows });
    assert.equal(family, 'qwen2');
    assert.deepEqual(
      layers.map(plainShape).map(({ window, biases }) => [window, biases.join()]),
      [
        [null, ''],
        [5, 'o,down'],
        [5, ''],
      ],
    );
  });

  it('does not matter to another model_type', () => {
    assert.deepEqual(architectureOf({ coppice_layers: [layer, wide] }), architectureOf());
  });

  const refused: [string, Config, RegExp][] = [
    ['too short', { coppice_layers: [layer, wide] }, /coppice_layers is not valid: it has 2 shapes, and[^]*3 blocks/],
    ['too long', { coppice_layers: Array(4).fill(layer) }, /coppice_layers[^]*4 shapes/],
    ['missing', { coppice_layers: undefined }, /coppice_layers is not valid: it is not a list/],
    ['an object', { coppice_layers: { length: 3 } }, /coppice_layers is not valid: it is not a list/],
    ['of other things', { coppice_layers: [layer, 3, layer] }, /coppice_layers\[1\] is not valid: 3 is not an object/],
    ['without heads', changed({ heads: undefined }), /coppice_layers\[1\]\.heads is not valid: it is missing/],
    ['with no neuron', changed({ ffn: 0 }), /coppice_layers\[1\]\.ffn is not valid: 0 is not a whole number from 1/],
    ['with half a neuron', changed({ ffn: 0.5 }), /coppice_layers\[1\]\.ffn/],
    ['with infinite neurons', changed({ ffn: Infinity }), /coppice_layers\[1\]\.ffn/],
    ['with huge widths', changed({ ffn: 2 ** 40 }), /coppice_layers\[1\]\.ffn[^]*1099511627776/],
    ['with many heads', changed({ heads: 2 ** 20, kv_heads: 2 ** 20 }), /coppice_layers\[1\]\.heads/],
    ['with a number as text', changed({ head_dim: '8' }), /coppice_layers\[1\]\.head_dim/],
    ['with heads that cannot share', changed({ kv_heads: 4 }), /coppice_layers\[1\]\.kv_heads[^]*4 key-value heads/],
    ['with an odd head', changed({ head_dim: 7 }), /coppice_layers\[1\]\.head_dim[^]*pairs/],
    [
      'with an unknown Linear',
      changed({ biases: ['o', 'x'] }),
      /coppice_layers\[1\]\.biases[^]*"x" is not one of qkv, q, k/,
    ],
    ['with a Linear twice', changed({ biases: ['o', 'o'] }), /coppice_layers\[1\]\.biases[^]*at most once/],
    ['with biases as text', changed({ biases: 'o' }), /coppice_layers\[1\]\.biases/],
    ['without biases', changed({ biases: undefined }), /coppice_layers\[1\]\.biases/],
    ['of no family', { coppice_family: undefined }, /coppice_family is not valid: it is missing/],
    ['of a family of numbers', { coppice_family: 3 }, /coppice_family is not valid: 3 is not a text/],
  ];
  for (const [title, changes, message] of refused) {
    it(`is refused ${title}`, () => {
      assert.throws(() => readConfigArchitecture({ ...CONFIG, ...ragged, ...changes }), { name: 'UserError', message });
    });
  }

  it('of an unknown family can be inspected', () => {
    const result = readConfigArchitecture({ ...CONFIG, ...ragged, coppice_family: 'coppice' });
    assert.ok('why' in result);
    assert.match(result.why, /coppice_family "coppice" is not supported/);
  });
});
