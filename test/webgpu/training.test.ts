/** Training on the GPU: the same graphs as on the CPU, the same losses, gradients and Taylor scores. */
import assert from 'node:assert/strict';
import { scoreTaylor } from '../../src/engine/importance/criteria/taylor';
import { AdamW, clipFactor, totalNorm } from '../../src/engine/retrain/loop/adamw';
import { DropoutMasks } from '../../src/engine/retrain/loop/dropout';
import type { Model } from '../../src/engine/model/model';
import { assertAllClose, assertClose, assertGradientClose } from '../support/close';
import { calibrationRows, checkpointFolder } from '../support/golden';
import { testOpGradients } from '../support/op-gradients';
import { randomRows } from '../support/random';
import { itFull } from '../support/shared';
import { tinyCheckpoint } from '../support/tiny-models';
import { fullSetup, loraSetup, textBatch, withBackprop, type TrainingSetup } from '../support/training';
import { describeWebGpu, onBoth } from '../support/webgpu';

const CLOSE = 1e-3;
const tiny = (): string =>
  tinyCheckpoint('qwen2-mixed-windows', { config: { num_hidden_layers: 2, max_window_layers: 1 } });

/** Where a second chunk of rows takes many tokens. */
const smallest = (): string => {
  const config = { num_hidden_layers: 1, hidden_size: 32, intermediate_size: 24, vocab_size: 64 };
  return tinyCheckpoint('llama-plain', { config });
};

/** Short ones: the device is one in software. */
const storyRows = (): number[][] =>
  calibrationRows('stories260K')
    .slice(0, 2)
    .map((row) => row.slice(0, 40));

/** Losses of two steps of the optimiser with one between them, and the gradients of the first. */
async function twoSteps(
  model: Model,
  { trainable, parameters }: TrainingSetup,
  rows: readonly (readonly number[])[],
  masks?: DropoutMasks,
): Promise<{ losses: number[]; gradients: Map<string, Float32Array> }> {
  const batch = textBatch(rows);
  const optimizer = new AdamW(parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
  return withBackprop(model, trainable, {}, async (backprop) => {
    const first = await backprop.gradients(batch, undefined, masks && { masks, step: 1 });
    const gradients = new Map([...first.gradients].map(([name, d]) => [name, Float32Array.from(d)]));
    optimizer.update(1, 1e-3, first.gradients, clipFactor(totalNorm(first.gradients), 1));
    return { losses: [first.loss, (await backprop.loss(batch)).loss], gradients };
  });
}

async function sameSteps(
  [cpu, gpu]: readonly [Model, Model],
  setupOf: (model: Model) => TrainingSetup | Promise<TrainingSetup>,
  rows: readonly (readonly number[])[],
  masks?: DropoutMasks,
): Promise<void> {
  const expected = await twoSteps(cpu, await setupOf(cpu), rows, masks);
  const actual = await twoSteps(gpu, await setupOf(gpu), rows, masks);
  assertAllClose(actual.losses, expected.losses, { absolute: CLOSE }, 'losses');
  assert.ok(masks !== undefined || expected.losses[1] < expected.losses[0]);
  for (const [name, gradient] of expected.gradients) {
    assertGradientClose(actual.gradients.get(name)!, gradient, CLOSE, name);
  }
}

async function sameTaylor(cpu: Model, gpu: Model, rows: readonly number[][]): Promise<void> {
  const [expected, actual] = [await scoreTaylor(cpu, rows), await scoreTaylor(gpu, rows)];
  assertClose(actual.meanNll, expected.meanNll, { absolute: CLOSE }, 'loss');
  const scores = ({ tensors }: typeof actual): number[] => tensors.map(({ score }) => score);
  assertAllClose(scores(actual), scores(expected), { relative: CLOSE }, 'tensors');
}

describeWebGpu('training on WebGPU', () => {
  describe('gradient rules of the ops', () => testOpGradients({ provider: 'webgpu', tolerance: 1e-3 }));

  it('a LoRA step under dropout is the CPU’s, on a toy', () =>
    onBoth(tiny(), (...models) =>
      sameSteps(
        models,
        (model) => loraSetup(model, { dropout: true }),
        [9, 24].flatMap((length) => randomRows(1, length, 288, length)),
        new DropoutMasks(0.1, 1),
      ),
    ));

  it('a step of every weight is the CPU’s, on a toy', () =>
    onBoth(tiny(), (...models) => sameSteps(models, fullSetup, randomRows(3, 24, 288, 5))));

  it('Taylor scores are the CPU’s over several chunks, whose gradients are summed', () =>
    onBoth(smallest(), (cpu, gpu) => sameTaylor(cpu, gpu, randomRows(81, 16, 64, 6)))); // 80 rows are a run

  itFull('a LoRA step of stories260K is the CPU’s', () =>
    onBoth(checkpointFolder('stories260K'), (...models) => sameSteps(models, (model) => loraSetup(model), storyRows())),
  );

  itFull('Taylor scores of stories260K are the CPU’s', () =>
    onBoth(checkpointFolder('stories260K'), (cpu, gpu) => sameTaylor(cpu, gpu, storyRows())),
  );
});
