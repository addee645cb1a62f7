/**
 * Every family's block on the GPU against the CPU, over the whole tensor: the fused attention of WebGPU is wrong from 32
 * tokens up at all positions but the first ones, so lengths well above that, and every number.
 */
import assert from 'node:assert/strict';
import { requireArchitecture } from '../../src/engine/checkpoint/open';
import { narrowCheckpoint } from '../../src/engine/checkpoint/width';
import { Random } from '../../src/engine/random';
import { Forward } from '../../src/engine/model/forward';
import type { Model } from '../../src/engine/model/model';
import type { Step } from '../../src/engine/model/view';
import { checkpointFolder, FAMILIES } from '../support/golden';
import { openToy } from '../support/model';
import { itFull, itShared } from '../support/shared';
import { RAGGED_MODELS, TINY_MODELS, tinyCheckpoint } from '../support/tiny-models';
import { describeWebGpu, onBoth, openedOnBoth } from '../support/webgpu';
import { randomWidth } from '../support/widths';

/** Absolute, on hidden states of order 1. */
const TOLERANCE = 1e-4;

describeWebGpu('blocks on WebGPU', () => {
  for (const name of [...TINY_MODELS, ...RAGGED_MODELS]) {
    it(`agree with the CPU, toy ${name}, 64 and 96 tokens`, () =>
      onBoth(tinyCheckpoint(name), async (cpu, gpu) => {
        await compareSteps(cpu, gpu, wholeBlocks(cpu), 64);
        await compareSteps(cpu, gpu, outermost(cpu), 96);
      }));
  }

  it('agree where each is narrower in its own way, with biases', async () => {
    const checkpoint = await openToy(tinyCheckpoint('llama-gqa-tied'));
    const width = randomWidth(requireArchitecture(checkpoint), { seed: 4, biases: true });
    await openedOnBoth(narrowCheckpoint(checkpoint, width), (cpu, gpu) => compareSteps(cpu, gpu, wholeBlocks(cpu), 64));
  });

  it('agree module by module', () =>
    onBoth(tinyCheckpoint('llama-gqa-tied'), async (cpu, gpu) => {
      const steps = wholeBlocks(cpu).flatMap(({ block }) => [
        { block, attention: true, ffn: false },
        { block, attention: false, ffn: true },
      ]);
      await compareSteps(cpu, gpu, steps, 64);
    }));

  describe('of the reference families', () => {
    for (const name of FAMILIES) {
      itFull(`agree with the CPU, ${name}, 64 tokens`, () =>
        onBoth(checkpointFolder(`families/${name}`), (cpu, gpu) => compareSteps(cpu, gpu, outermost(cpu), 64)),
      );
    }
    itShared('agree with the CPU, stories260K with heads of 8, 64 tokens', () =>
      onBoth(checkpointFolder('stories260K'), (cpu, gpu) => compareSteps(cpu, gpu, outermost(cpu), 64)),
    );
  });
});

const wholeBlocks = (model: Model): Step[] =>
  Array.from({ length: model.architecture.layers.length }, (_, block) => ({ block, attention: true, ffn: true }));

/** The first block and the last, which differ where the blocks of a family do. */
const outermost = (model: Model): Step[] => [wholeBlocks(model)[0], wholeBlocks(model).at(-1)!];

/** Pushes the same tokens through the steps on both, and compares the hidden states after each. */
async function compareSteps(cpu: Model, gpu: Model, steps: readonly Step[], length: number): Promise<void> {
  const random = new Random(length);
  const { vocabulary } = cpu.architecture;
  const rows = [Int32Array.from({ length }, () => Math.floor(random.uniform() * vocabulary))];
  const expected = await states(cpu, steps, rows);
  const actual = await states(gpu, steps, rows);
  for (const [s, step] of steps.entries()) {
    const [a, b] = [actual[s], expected[s]];
    assert.equal(a.length, b.length);
    const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]) / Math.max(1, Math.abs(b[i]))), 0);
    assert.ok(worst <= TOLERANCE, `block ${step.block}: off by ${worst} at most`);
  }
}

/** Hidden states after each step, (rows · length, hidden); all rows make one chunk. */
async function states(model: Model, steps: readonly Step[], rows: readonly Int32Array[]): Promise<Float32Array[]> {
  const forward = new Forward(model, rows[0].length);
  let [chunk] = await forward.embed(rows);
  const all: Float32Array[] = [];
  for (const step of steps) {
    const open = await forward.open(step, true);
    try {
      const next = await open.run(chunk);
      chunk.release();
      chunk = next;
      all.push(Float32Array.from(chunk.data));
    } finally {
      await open.close();
    }
  }
  chunk.release();
  return all;
}
