/**
 * Models whose blocks differ in heads, widths, windows, rotations and biases: the laws that hold for uniform models, and
 * numbers that are counted block by block. Logits, losses and gradients are compared with the float64 reference in
 * reference.test.ts and gradients-*.test.ts.
 */
import assert from 'node:assert/strict';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLayers, withoutLayers } from '../../../src/engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { layerParameters, parametersOf } from '../../../src/engine/checkpoint/parameters';
import { summarize } from '../../../src/engine/checkpoint/summary';
import { checkpointReduction } from '../../../src/engine/checkpoint/reduction';
import { plainLayer, plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { generate } from '../../../src/engine/evaluate/generate';
import { sweepLosses } from '../../../src/engine/importance/sweep';
import { scoreTaylor } from '../../../src/engine/importance/criteria/taylor';
import { fullView, stepsOf, viewWithout } from '../../../src/engine/model/view';
import { AdamW } from '../../../src/engine/retrain/loop/adamw';
import { loadReference } from '../../reference/forward';
import { assertClose } from '../../support/close';
import { decodedLogits, openToy, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { readCheckpointTensors, writeSafetensors } from '../../support/safetensors';
import { itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { RAGGED_MODELS, tinyCheckpoint } from '../../support/tiny-models';
import type { ToyLayer } from '../../support/tiny-tensors';
import { fullSetup, loraSetup, textBatch, weightGradients, withBackprop } from '../../support/training';

const BLOCKS = 4;
const rows = randomRows(3, 24, 288, 21);

/** The toy without its other blocks, written tensor by tensor. */
function rebuilt(source: string, kept: readonly number[]): string {
  const folder = temporaryFolder();
  const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8')) as { toy_layers: ToyLayer[] };
  const layers = kept.map((block) => config.toy_layers[block]);
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, num_hidden_layers: kept.length, toy_layers: layers }),
  );
  const tensors = [...readCheckpointTensors(source).values()].flatMap((tensor) => {
    const block = /^model\.layers\.(\d+)\./.exec(tensor.name)?.[1];
    if (block === undefined) return [tensor];
    const place = kept.indexOf(Number(block));
    return place < 0 ? [] : [{ ...tensor, name: tensor.name.replace(`layers.${block}.`, `layers.${place}.`) }];
  });
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

describe('models whose blocks differ', () => {
  for (const name of RAGGED_MODELS) {
    const folder = tinyCheckpoint(name);

    it(`${name}: leaving blocks out is rebuilding without them, bit for bit`, async () => {
      for (const kept of [[0, 3], [1, 2, 3], [2]]) {
        const removed = [0, 1, 2, 3].filter((block) => !kept.includes(block));
        const view = viewWithout(
          BLOCKS,
          removed.map((block) => ({ block })),
        );
        const pieces = [rows[0].slice(0, 12), ...rows[0].slice(12).map((id) => [id])];
        const skipped = await withModel(folder, async (model) => ({
          logits: await decodedLogits(model, pieces, view),
          losses: (await sweepLosses(model, rows, stepsOf(view), [])).full,
        }));
        const written = await withModel(rebuilt(folder, kept), async (model) => ({
          logits: await decodedLogits(model, pieces),
          losses: (await sweepLosses(model, rows, stepsOf(fullView(kept.length)), [])).full,
        }));
        assert.deepEqual(written, skipped);
      }
    });

    it(`${name}: the sweep is removal one by one, bit for bit`, () =>
      withModel(folder, async (model) => {
        const steps = stepsOf(fullView(BLOCKS), true);
        const { without } = await sweepLosses(model, rows, steps, [...steps.keys()]);
        for (const k of steps.keys()) {
          const left = steps.filter((_, i) => i !== k);
          assert.deepEqual((await sweepLosses(model, rows, left, [])).full, without[k], `without step ${k}`);
        }
      }));

    // The toy with biases has the shapes of the other one.
    const decodes = name === 'ragged-bias' ? it : itFull;
    decodes(
      `${name}: a session per block decodes as one session does, and greedy text follows the logits`,
      async () => {
        const os = createRequire(import.meta.url)('node:os') as typeof import('node:os');
        const { freemem } = os;
        const [long] = randomRows(1, 150, 288, 22); // the caches grow twice
        const pieces = [long.slice(0, 60), ...long.slice(60).map((id) => [id])];
        try {
          await withModel(folder, async (model) => {
            const whole = await decodedLogits(model, pieces);
            const { ids } = await generate(model, long, { maxNewTokens: 1, greedy: true, ignoreEos: true });
            assert.deepEqual(ids, [whole.at(-1)!.indexOf(Math.max(...whole.at(-1)!))]);
            os.freemem = () => 0;
            syncBuiltinESMExports();
            assert.deepEqual(await decodedLogits(model, pieces), whole);
          });
        } finally {
          os.freemem = freemem;
          syncBuiltinESMExports();
        }
      },
    );

    it(`${name}: a step of LoRA and of full training lowers the loss of its batch`, () =>
      withModel(folder, async (model) => {
        const batch = textBatch(rows);
        for (const setup of [loraSetup(model), await fullSetup(model)]) {
          const optimiser = new AdamW(setup.parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
          const losses = await withBackprop(model, setup.trainable, {}, async (backprop) => {
            const { loss, gradients } = await backprop.gradients(batch);
            optimiser.update(1, 1e-3, gradients, 1);
            return [loss, (await backprop.loss(batch)).loss];
          });
          assert.ok(losses[1] < losses[0], `${losses[0]} → ${losses[1]}`);
        }
      }));

    it(`${name}: Taylor scores are Σ |w ∂L/∂w|`, () =>
      withModel(folder, async (model) => {
        const gradients = await weightGradients(model, rows);
        const { tensors: weights } = loadReference(folder);
        const { tensors } = await scoreTaylor(model, rows);
        assert.equal(new Set(tensors.map(({ block }) => block)).size, BLOCKS);
        for (const { name: tensor, score } of tensors) {
          const { values } = weights.get(tensor)!;
          const expected = gradients.get(tensor)!.reduce((sum, d, i) => sum + Math.abs(d * values[i]), 0);
          assertClose(score, expected, { relative: 1e-4 }, tensor);
        }
      }));
  }
});

describe('counting a model whose blocks differ', () => {
  const folder = tinyCheckpoint('ragged-bias');

  it('parameters and bytes are those that are stored', async () => {
    const checkpoint = await openToy(folder);
    const architecture = requireArchitecture(checkpoint);
    const stored = (block: number): number =>
      [...readCheckpointTensors(folder).values()]
        .filter(({ name }) => name.startsWith(`model.layers.${block}.`))
        .reduce((sum, { values }) => sum + values.length, 0);
    const perBlock = [0, 1, 2, 3].map(stored);
    assert.equal(new Set(perBlock).size, BLOCKS, 'the blocks differ');
    assert.deepEqual(layerParameters(architecture), perBlock);
    assert.equal(parametersOf(withoutLayers(architecture, [1])), parametersOf(architecture) - perBlock[1]);
    assert.deepEqual(withoutLayers(architecture, [1]), withLayers(architecture, [0, 2, 3]));
    const { parametersBefore, parametersAfter, bytesBefore, bytesAfter } = checkpointReduction(checkpoint, [1, 3]);
    assert.equal(parametersBefore - parametersAfter, perBlock[1] + perBlock[3]);
    const headers = bytesBefore - bytesAfter - 2 * (perBlock[1] + perBlock[3]); // BF16
    assert.ok(Math.abs(headers) < 8 * 1024, `${headers} bytes besides`);
  });

  it('a summary lists what differs block by block', async () => {
    const { heads, kvHeads, headDim, ffn, hidden } = summarize(await openToy(folder));
    assert.deepEqual(
      [heads, kvHeads, headDim, ffn],
      [
        [4, 2, 6, 1],
        [2, 1, 3, 1],
        [16, 16, 8, 24],
        [96, 40, 128, 24],
      ],
    );
    assert.equal(hidden, 64);
  });

  it('the weights are checked against the shapes of the blocks', async () => {
    await assert.rejects(openCheckpoint(folder), /"model\.layers\.\d\.[a-z_.]+" disagrees|is missing/);
    const { layers } = requireArchitecture(await openToy(folder));
    const wrong = layers.map((layer, block) =>
      block === 2 ? plainLayer({ ...plainShape(layer), ffn: plainShape(layer).ffn + 1 }) : layer,
    );
    await assert.rejects(openCheckpoint(folder, undefined, wrong), /"model\.layers\.2\.mlp\.gate_proj\.weight"/);
  });
});
