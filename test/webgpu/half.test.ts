/**
 * Half precision on a GPU against float32 on the CPU, and against golden numbers. SwiftShader has no half precision: there
 * it is refused, and the rest is skipped. Mesa's software device has it (COPPICE_TEST_VULKAN, support/swiftshader.mjs).
 */
import assert from 'node:assert/strict';
import { UserError } from '../../src/engine/errors';
import { generate } from '../../src/engine/evaluate/generate';
import { scoreBlocks } from '../../src/engine/importance/criteria/ppl';
import { type Model, type ModelOptions, openModel } from '../../src/engine/model/model';
import { fullView } from '../../src/engine/model/view';
import { type HalfTrial, tryHalf } from '../../src/engine/onnx/device-trial';
import { floats } from '../../src/engine/onnx/session';
import type { KeyedPatch } from '../../src/engine/weights/patches';
import { assertClose, assertGradientClose, assertSameOrder } from '../support/close';
import { calibrationRows, checkpointFolder, goldenImportance } from '../support/golden';
import { lastState, openToy } from '../support/model';
import { normal, randomRows } from '../support/random';
import { tinyCheckpoint, type TinyName } from '../support/tiny-models';
import { describeWebGpu } from '../support/webgpu';

/** Half precision against float32, where even sums are float16: losses in nats, hidden states relative in L2. */
const MEAN_NLL = { absolute: 5e-3 };
const HIDDEN = 1e-2;

describeWebGpu('half precision on WebGPU', () => {
  let half: HalfTrial = {};
  before(async () => {
    half = await tryHalf('webgpu');
  });
  /** A test for devices with half precision. */
  const itHalf = (title: string, body: () => Promise<void>): void => {
    it(title, async function () {
      if (half.error === undefined) return body();
      this.test!.title += ` (this device has no half precision)`;
      this.skip();
    });
  };

  it('is tried on a known product: exact enough, or refused with the reason and a way out', async () => {
    const opening = openModel(await openToy(tinyCheckpoint('llama-plain')), { device: 'webgpu', precision: 'float16' });
    if (half.error === undefined) {
      assert.ok(half.deviation! < 0.04, `${half.deviation}`);
      const model = await opening;
      assert.deepEqual([model.precision, model.device.half?.error], ['float16', undefined]);
      await model.close();
    } else {
      await assert.rejects(opening, (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.ok(error.why.includes(half.error!), error.why);
        assert.match(error.action, /--precision float32/);
        return true;
      });
    }
  });

  for (const name of ['llama-gqa-tied', 'llama-bias', 'qwen3-qknorm'] satisfies TinyName[]) {
    itHalf(`${name}: states, losses and text are near float32’s`, () => nearFloat32(tinyCheckpoint(name)));
  }

  itHalf('an adapter lies on top in float32', () =>
    nearFloat32(tinyCheckpoint('llama3-rope'), (model) => {
      const product = (rank: number, [out, width]: readonly number[], seed: number) => ({
        ...{ rank, factor: 0.5 },
        a: Float32Array.from({ length: rank * width }, normal(seed)),
        b: Float32Array.from({ length: out * rank }, normal(seed + 1)).map((x) => 0.02 * x),
      });
      return (['q', 'down'] as const).map((weight, i): KeyedPatch => {
        const key = { layer: 1, name: weight };
        return [key, { kind: 'add', product: product(2, model.weights.shape(key), 10 * i) }];
      });
    }),
  );

  itHalf('scores of the sample model are the golden ones, and so is their order', async () => {
    const rows = calibrationRows('sample').slice(0, 2);
    const golden = goldenImportance('sample');
    const checkpoint = await openToy(checkpointFolder('sample'));
    await withModel(await openModel(checkpoint, { device: 'webgpu', precision: 'float16' }), async (model) => {
      const { full, blocks, order } = await scoreBlocks(model, rows, { seed: 1 });
      const mean = (of: { readonly rows: readonly number[] }): number =>
        of.rows.slice(0, rows.length).reduce((sum, loss) => sum + loss, 0) / rows.length;
      assertClose(full.meanNll, mean(golden.full), MEAN_NLL, 'whole model');
      const losses = golden.ppl.blocks.map(mean);
      for (const { index, meanNll } of blocks) assertClose(meanNll, losses[index], MEAN_NLL, `without block ${index}`);
      const sorted = losses.map((_, i) => i).sort((a, b) => losses[a] - losses[b] || a - b);
      assertSameOrder(order, sorted, losses, MEAN_NLL.absolute);
    });
  });
});

/** @param changes of the weights, for a model that says their shapes */
async function nearFloat32(path: string, changes?: (model: Model) => readonly KeyedPatch[]): Promise<void> {
  const checkpoint = await openToy(path);
  const rows = randomRows(2, 40, 280, 41);
  const given: ModelOptions[] = [];
  if (changes) {
    await withModel(await openModel(checkpoint, { device: 'cpu' }), (model) => {
      given.push({ changes: [changes(model)] });
      return Promise.resolve();
    });
  }
  const numbers = async (options: ModelOptions) =>
    withModel(await openModel(checkpoint, { ...options, ...given[0] }), async (model) => {
      const [chunk] = await lastState(model, rows, fullView(model.architecture.layers.length));
      const hidden = Float32Array.from(floats(chunk.tensor));
      const { full, blocks } = await scoreBlocks(model, rows, { seed: 1 });
      const { ids } = await generate(model, rows[0], { maxNewTokens: 4, greedy: true, ignoreEos: true });
      return { hidden, losses: [full, ...blocks].map(({ meanNll }) => meanNll), ids };
    });
  const expected = await numbers({ device: 'cpu' });
  const actual = await numbers({ device: 'webgpu', precision: 'float16' });
  assertGradientClose(actual.hidden, expected.hidden, HIDDEN, 'last hidden states');
  assert.notDeepEqual(actual.hidden, expected.hidden);
  for (const [i, loss] of actual.losses.entries()) assertClose(loss, expected.losses[i], MEAN_NLL, `loss ${i}`);
  assert.deepEqual(actual.ids, expected.ids);
}

async function withModel<T>(model: Model, use: (model: Model) => Promise<T>): Promise<T> {
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}
