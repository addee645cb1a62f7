/**
 * Attention from plain products, which GPUs run, against onnxruntime's fused operator: here on the CPU, over the whole
 * tensor, with the weights as inputs, so that the graphs of a GPU are proven where there is none.
 */
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { Graph } from '../../../src/engine/onnx/graph';
import { floats } from '../../../src/engine/onnx/session';
import { adapterPatches } from '../../../src/engine/adapter/adapter';
import { fedBinding } from '../../../src/engine/model/binding';
import { buildStep } from '../../../src/engine/model/forward-graph';
import { Forward } from '../../../src/engine/model/forward';
import type { Changes } from '../../../src/engine/model/model';
import type { Model } from '../../../src/engine/model/model';
import { Positions } from '../../../src/engine/model/positions';
import type { Chunk } from '../../../src/engine/model/states';
import { fullView, stepsOf, type Step } from '../../../src/engine/model/view';
import { randomAdapter } from '../../support/adapters';
import { assertAllClose } from '../../support/close';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { RAGGED_MODELS, TINY_MODELS, tinyCheckpoint, type TinyName } from '../../support/tiny-models';

const LENGTH = 64;

/** One step with plain attention over weights that are fed. (tokens, hidden) → (tokens, hidden) */
async function plainStep(model: Model, step: Step, x: Chunk): Promise<Float32Array> {
  const { architecture, weights } = model;
  const g = new Graph();
  const binding = fedBinding(g, weights);
  buildStep(g, architecture, step, 'plain', binding);
  const loader = new Graph();
  binding.fetch(loader);
  const loading = await model.openSession(loader.serialize());
  const session = await model.openSession(g.serialize());
  try {
    const positions = step.attention ? new Positions(architecture, LENGTH).plain(step.block) : {};
    const { y } = await session.run({ x: x.tensor, ...positions, ...(await loading.run({})) });
    return floats(y);
  } finally {
    await session.close();
    await loading.close();
  }
}

describe('attention from plain products is the fused operator', () => {
  for (const name of [...TINY_MODELS, ...RAGGED_MODELS]) {
    it(name, () => assertSteps(name));
  }

  it('with an adapter on top, its matrices fed too', async () => {
    const { architecture } = await openCheckpoint(tinyCheckpoint('llama-bias'));
    const adapter = randomAdapter(architecture!, { targets: ['k', 'v', 'o', 'down'] });
    await assertSteps('llama-bias', [adapterPatches(adapter)]);
  });
});

/** Every step of the model, one after the other. */
async function assertSteps(name: TinyName, changes?: Changes): Promise<void> {
  await withModel(
    tinyCheckpoint(name),
    async (model) => {
      const forward = new Forward(model, LENGTH);
      let [x] = await forward.embed(randomRows(3, LENGTH, 288, 51));
      for (const step of stepsOf(fullView(4), name === 'llama-bias')) {
        const open = await forward.open(step, true);
        const fused = await open.run(x);
        await open.close();
        const what = `${step.attention ? 'attention' : ''} ${step.ffn ? 'FFN' : ''} ${step.block}`;
        assertAllClose(await plainStep(model, step, x), fused.data, { absolute: 2e-5 }, what);
        x = fused;
      }
    },
    { changes },
  );
}
