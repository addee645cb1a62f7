/** Healing on the GPU, against the CPU. */
import assert from 'node:assert/strict';
import { heal } from '../../src/engine/heal/heal';
import { HEAL_METHODS } from '../../src/engine/heal/methods';
import { removedFrom, viewWithout } from '../../src/engine/model/view';
import { assertClose } from '../support/close';
import { tinyCheckpoint } from '../support/tiny-models';
import { describeWebGpu, onBoth } from '../support/webgpu';

describeWebGpu('healing on WebGPU', () => {
  it('gives the CPU’s corrections, by every method, with a module left out', () =>
    onBoth(tinyCheckpoint('qwen3-qknorm'), async (cpu, gpu) => {
      const { vocabulary, layers } = cpu.architecture;
      const rows = [1, 2, 3].map((row) => Array.from({ length: 24 }, (_, i) => (i * i * 7 + i * row + 3) % vocabulary));
      const view = viewWithout(layers.length, removedFrom([1, '2.attention'], layers.length));
      for (const method of HEAL_METHODS) {
        const expected = await heal(cpu, view, rows, { method });
        const actual = await heal(gpu, view, rows, { method });
        assert.equal(actual.steps.length, expected.steps.length);
        for (const [i, { normDelta = 0, weight }] of expected.steps.entries()) {
          assertClose(actual.steps[i].normDelta ?? 0, normDelta, { relative: 1e-3 }, `${method}, step ${i}`);
          if (weight) assertClose(actual.steps[i].weight!.norm, weight.norm, { relative: 1e-4 }, `${method}, ${i}`);
        }
        for (const stage of ['before', 'after', 'rounded'] as const) {
          assertClose(actual.fit![stage].kl, expected.fit![stage].kl, { absolute: 1e-4 }, `${method}, KL ${stage}`);
        }
      }
    }));
});
