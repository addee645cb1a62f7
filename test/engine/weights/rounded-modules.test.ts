/**
 * Modules of every kind in integers, each by itself: no error of one changes what the next one gets, so a router gets the same
 * numbers and chooses the same experts. And decoding, which has other graphs than a forward pass.
 */
import assert from 'node:assert/strict';
import { type LayerShape, productGroups } from '../../../src/engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { Forward } from '../../../src/engine/model/forward';
import type { Model } from '../../../src/engine/model/model';
import type { Step } from '../../../src/engine/model/view';
import { spreadRows } from '../../../src/engine/onnx/ops/spread';
import { quantizeRows } from '../../../src/engine/weights/blocks/quantize';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { dequantized } from '../../support/blocks';
import { checkpointFolder, EXPERT_FAMILIES, MIXED_FAMILIES } from '../../support/golden';
import { decodedLogits, wholeLogits, withModelOf, withScreen } from '../../support/model';
import { randomRows } from '../../support/random';
import { describeShared, full, itFull } from '../../support/shared';

/** Toys that have every kind of mixer and feed-forward among them; the others are left to test:full. */
const STANDING: Readonly<Record<string, 'int8' | 'int4'>> = {
  'granite4-hybrid': 'int8',
  'gptoss-sinks': 'int4',
  'lfm2-conv': 'int8',
  'qwen35-text': 'int4',
  'falconh1-parallel': 'int8',
};

const [ROWS, LENGTH] = [2, 24];

/** What a module adds to the stream, off by at most so much in L2; one wrong matrix moves it by more than half. Seen: in brackets. */
const OFF = {
  /** From the same with weights that are the numbers of the blocks: inputs are rounded to 8 bits (0.022). */
  inputs: 0.03,
  /** From float32 (0.022, 0.26). */
  int8: 0.03,
  int4: 0.3,
  /** Of a screen, with a scale for each row and each token (0.036). */
  screen: 0.05,
} as const;
/** Nothing that is rounded is nearer. */
const ROUNDED = 0.003;

/**
 * Logits of one token after another, from those of the whole row at once, in L2: onnxruntime rounds the input of one token and of
 * several in different ways. Seen: 0.009, also with plain blocks; 0.034 where that tips what a router or a recurrence does.
 */
const DECODED = 0.05;

describeShared('modules in integers', () => {
  for (const toy of [...EXPERT_FAMILIES, ...MIXED_FAMILIES]) {
    for (const precision of ['int8', 'int4'] as const) {
      const own = STANDING[toy] === precision ? it : itFull;
      own(`${toy}, ${precision}: those whose weights were rounded, and decoding is the forward pass`, async () => {
        const { checkpoint, steps, inputs } = await opened(toy);
        const added = (model: Model): Promise<Float32Array[]> => addedBy(model, steps, inputs);
        const exact = await withModelOf(checkpoint, added);
        const changes = [await rounded(checkpoint, steps, precision)];
        const expected = await withModelOf(checkpoint, added, { changes });
        await withModelOf(
          checkpoint,
          async (model) => {
            requireNear(steps, await added(model), expected, OFF.inputs);
            requireNear(steps, await added(model), exact, OFF[precision], ROUNDED);
            const [ids] = randomRows(1, 9, 288, 4);
            const whole = await wholeLogits(model, ids, [7, 8]);
            const [, ...decoded] = await decodedLogits(model, [ids.slice(0, 7), [ids[7]], [ids[8]]]);
            // Another processor may send one of the tokens to another expert.
            const nearest = Math.min(...whole.map((logits, i) => off(decoded[i], logits)));
            assert.ok(nearest < DECODED, `decoding is off by ${nearest}`);
          },
          { precision, quantized: { limit: 0 } },
        );
      });
    }

    (toy in STANDING ? it : itFull)(`${toy}: those of a screen are near float32`, async () => {
      const { checkpoint, steps, inputs } = await opened(toy);
      await withModelOf(checkpoint, async (model) => {
        const exact = await addedBy(model, steps, inputs);
        const found = await withScreen(model, (screen) => addedBy(screen.model, steps, inputs));
        requireNear(steps, found, exact, OFF.screen, ROUNDED);
      });
    });
  }
});

interface Opened {
  readonly checkpoint: Checkpoint;
  /** Mixer and feed-forward of one block of each kind; of all blocks in test:full. */
  readonly steps: readonly Step[];
  /** The stream before each block. */
  readonly inputs: readonly Float32Array[];
}

async function opened(toy: (typeof EXPERT_FAMILIES)[number] | (typeof MIXED_FAMILIES)[number]): Promise<Opened> {
  const checkpoint = await openCheckpoint(checkpointFolder(`families3/${toy}`));
  const { layers, vocabulary } = requireArchitecture(checkpoint);
  const kinds = layers.map(({ mixer, ffn }: LayerShape) => `${mixer.kind} ${ffn.kind}`);
  const blocks = [...layers.keys()].filter((block) => full || kinds.indexOf(kinds[block]) === block);
  const steps = blocks.flatMap((block) => [
    { block, attention: true, ffn: false },
    { block, attention: false, ffn: true },
  ]);
  const inputs = await withModelOf(checkpoint, async (model) => {
    const forward = new Forward(model, LENGTH);
    let [chunk] = await forward.embed(randomRows(ROWS, LENGTH, vocabulary, 3));
    const streams: Float32Array[] = [];
    for (const block of layers.keys()) {
      streams.push(Float32Array.from(chunk.data));
      const open = await forward.open({ block, attention: true, ffn: true }, true);
      chunk = await open.run(chunk);
      await open.close();
    }
    return streams;
  });
  return { checkpoint, steps, inputs };
}

/** What each step adds to its stream. */
async function addedBy(model: Model, steps: readonly Step[], inputs: readonly Float32Array[]): Promise<Float32Array[]> {
  const forward = new Forward(model, LENGTH);
  const added: Float32Array[] = [];
  for (const step of steps) {
    const before = inputs[step.block];
    const chunk = forward.pool.take(ROWS);
    chunk.data.set(before);
    const open = await forward.open(step, true);
    const after = await open.run(chunk);
    added.push(after.data.map((value, i) => value - before[i]));
    await open.close();
  }
  return added;
}

/** The Linears of some steps with the numbers of their blocks. */
const rounded = (checkpoint: Checkpoint, steps: readonly Step[], precision: 'int8' | 'int4'): Promise<KeyedPatch[]> =>
  withWeights(checkpoint, async (weights) => {
    const bits = precision === 'int8' ? 8 : 4;
    const patches: KeyedPatch[] = [];
    for (const layer of new Set(steps.map(({ block }) => block))) {
      for (const name of productGroups(weights.architecture.layers[layer]).flat()) {
        const key = { layer, name };
        const [, width] = weights.shape(key);
        const numbers = Float32Array.from(await weights.read(key));
        if (bits === 8) spreadRows(numbers, width);
        const values = Float32Array.from(dequantized(quantizeRows(numbers, width, bits), width, bits));
        if (bits === 8) spreadRows(values, width); // its own inverse
        patches.push([key, { kind: 'replace', values }]);
      }
    }
    return patches;
  });

/** L2 of the difference, relative. */
function off(actual: Float32Array, expected: Float32Array): number {
  const squares = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(actual.map((value, i) => value - expected[i])) / squares(expected));
}

function requireNear(
  steps: readonly Step[],
  actual: readonly Float32Array[],
  expected: readonly Float32Array[],
  most: number,
  least = 0,
): void {
  for (const [i, { block, attention }] of steps.entries()) {
    const by = off(actual[i], expected[i]);
    assert.ok(by > least && by < most, `${attention ? 'mixer' : 'FFN'} of block ${block}: off by ${by}`);
  }
}
