/** The size of the paper's adapters (26 blocks of LLaMA-7B), and how they begin. */
import assert from 'node:assert/strict';
import { isUnsupported, readConfigArchitecture } from '../../../../src/engine/checkpoint/config';
import { withoutLayers } from '../../../../src/engine/checkpoint/architecture';
import { parametersOf } from '../../../../src/engine/checkpoint/parameters';
import { LINEAR_NAMES } from '../../../../src/engine/adapter/names';
import { initialAdapters } from '../../../../src/engine/retrain/lora/lora-model';
import { fullView, viewWithout } from '../../../../src/engine/model/view';
import { LLAMA_7B } from '../../../../bench/support/synthetic';

const architecture = readConfigArchitecture(LLAMA_7B);
if (isUnsupported(architecture)) throw new Error(architecture.why);
const model = { architecture };
const shape = { rank: 8, alpha: 16, targets: LINEAR_NAMES, dropout: true };

describe('retrain/lora-trainable', () => {
  it('26 blocks of LLaMA-7B have 16 240 640 trainable parameters', () => {
    const view = viewWithout(
      32,
      [10, 13, 24, 25, 26, 27].map((block) => ({ block })),
    );
    const parameters = [...initialAdapters(model, view, shape, 1)];
    const count = parameters.reduce((sum, [, { values }]) => sum + values.length, 0);
    assert.equal(count, 16_240_640);
    assert.equal((count / parametersOf(withoutLayers(architecture, [10, 13, 24, 25, 26, 27]))).toFixed(4), '0.0029');
    assert.ok(parameters.every(([, { values, shape: extents }]) => values.length === extents[0] * extents[1]));
  });

  it('A begins uniform within ±1/√in, B at zero, the same for the same seed', () => {
    const view = viewWithout(
      32,
      Array.from({ length: 31 }, (_, i) => ({ block: i + 1 })),
    );
    const parameters = initialAdapters(model, view, shape, 3);
    assert.deepEqual(
      [...parameters.keys()],
      LINEAR_NAMES.flatMap((name) => [`0.${name}.A`, `0.${name}.B`]),
    );
    const { values } = parameters.get('0.down.A')!;
    const bound = 1 / Math.sqrt(11008);
    const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    assert.ok(largest <= bound && largest > 0.999 * bound);
    const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
    assert.ok(Math.abs(variance / (bound ** 2 / 3) - 1) < 0.02); // of a uniform distribution
    assert.ok(parameters.get('0.down.B')!.values.every((v) => v === 0));
    assert.deepEqual(initialAdapters(model, view, shape, 3), parameters);
    assert.notDeepEqual(initialAdapters(model, view, shape, 4), parameters);
  });

  it('takes only the targets, of the parts that are there', () => {
    const parts = viewWithout(32, [
      ...Array.from({ length: 30 }, (_, i) => ({ block: i })),
      { block: 30, part: 'ffn' },
      { block: 31, part: 'attention' },
    ]);
    const names = [...initialAdapters(model, parts, { ...shape, targets: ['q', 'up'] }, 1).keys()];
    assert.deepEqual(names, ['0.q.A', '0.q.B', '1.up.A', '1.up.B']);
    assert.equal(initialAdapters(model, fullView(32), { ...shape, targets: [] }, 1).size, 0);
  });
});
