/** Table 1 of Shortened LLaMA by arithmetic: what LLM-Pruner and Wanda-sp leave of LLaMA-7B and Vicuna-13B. */
import assert from 'node:assert/strict';
import { isUnsupported, readConfigArchitecture } from '../../../../src/engine/checkpoint/config';
import type { Architecture } from '../../../../src/engine/checkpoint/architecture';
import { parametersOf } from '../../../../src/engine/checkpoint/parameters';
import { withCounts } from '../../../../src/engine/checkpoint/width';
import { plainShape } from '../../../../src/engine/checkpoint/kinds/plain';
import { groupCost } from '../../../../src/engine/importance/width/flap';
import { keptUnits as keptByLlmPruner } from '../../../../src/engine/importance/width/llm-pruner';
import { defaultRange } from '../../../../src/engine/importance/width/methods';
import { allUnits } from '../../../../src/engine/importance/width/units';
import { keptUnits as keptByWandaSp } from '../../../../src/engine/importance/width/wanda-sp';

function llama(fields: Readonly<Record<string, unknown>>): Architecture {
  const architecture = readConfigArchitecture({
    model_type: 'llama',
    vocab_size: 32000,
    rms_norm_eps: 1e-6,
    ...fields,
  });
  assert.ok(!isUnsupported(architecture));
  return architecture;
}

const SEVEN = llama({
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
});
const THIRTEEN = llama({
  hidden_size: 5120,
  intermediate_size: 13824,
  num_hidden_layers: 40,
  num_attention_heads: 40,
});
const GROUPED = llama({
  vocab_size: 128256,
  hidden_size: 4096,
  intermediate_size: 14336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
});

/** [groups, neurons, parameters] of a block that loses something, and of the model. */
function byLlmPruner(architecture: Architecture, ratio: number): [number, number, number] {
  const layers = architecture.layers.map(plainShape);
  const { first, last } = defaultRange(layers.length);
  const kept = layers.map((shape, i) => (i < first || i > last ? allUnits(shape) : keptByLlmPruner(shape, ratio)));
  return [kept[first].groups, kept[first].neurons, parametersOf(withCounts(architecture, kept, false))];
}

function byWandaSp(architecture: Architecture, ratio: number): [number, number, string] {
  const kept = architecture.layers.map(plainShape).map((shape) => keptByWandaSp(shape, ratio));
  const parameters = parametersOf(withCounts(architecture, kept, false));
  return [kept[0].groups, kept[0].neurons, (parameters / 1e9).toFixed(3)];
}

describe('width pruning by arithmetic (Table 1)', () => {
  it('LLM-Pruner: blocks 4 to 29 of LLaMA-7B, 4 to 37 of Vicuna-13B', () => {
    assert.deepEqual(byLlmPruner(SEVEN, 0.25), [24, 8256, 5_422_977_024]);
    assert.deepEqual(byLlmPruner(SEVEN, 0.35), [21, 7155, 4_907_642_880]);
    assert.deepEqual(byLlmPruner(SEVEN, 0.45), [18, 6054, 4_392_308_736]);
    assert.deepEqual(byLlmPruner(THIRTEEN, 0.25), [30, 10368, 10_319_713_280]);
    assert.deepEqual(byLlmPruner(THIRTEEN, 0.35), [26, 8985, 9_240_939_520]);
    assert.deepEqual(byLlmPruner(THIRTEEN, 0.45), [22, 7603, 8_162_688_000]);
  });

  it('LLM-Pruner with grouped heads: Llama-3-8B', () => {
    assert.deepEqual(byLlmPruner(GROUPED, 0.25), [6, 10752, 6_612_586_496]);
  });

  it('Wanda-sp', () => {
    assert.deepEqual(byWandaSp(SEVEN, 0.2), [26, 8807, '5.470']);
    assert.deepEqual(byWandaSp(SEVEN, 0.29), [23, 7816, '4.879']);
    assert.deepEqual(byWandaSp(SEVEN, 0.35), [21, 7156, '4.486']);
    assert.deepEqual(byWandaSp(THIRTEEN, 0.2), [32, 11060, '10.479']);
    assert.deepEqual(byWandaSp(THIRTEEN, 0.28), [29, 9954, '9.485']);
    assert.deepEqual(byWandaSp(THIRTEEN, 0.37), [26, 8710, '8.406']);
  });

  it('FLAP: a head of 128 without groups weighs 170 neurons, a group of four 426', () => {
    assert.deepEqual(
      [SEVEN, GROUPED].map(({ layers }) => groupCost(plainShape(layers[0]))),
      [170, 426],
    );
  });
});

it('LLM-Pruner leaves the outer blocks whole, and where there is nothing between them prunes all', () => {
  assert.deepEqual(
    [40, 32, 12, 11, 3, 2, 1].map((blocks) => defaultRange(blocks)),
    [
      [4, 37],
      [4, 29],
      [4, 9],
      [1, 9],
      [1, 1],
      [0, 1],
      [0, 0],
    ].map(([first, last]) => ({ first, last })),
  );
});
