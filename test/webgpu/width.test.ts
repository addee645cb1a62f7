/** Width pruning on the GPU against the CPU: scores, biases and what is kept; then the narrower model. */
import assert from 'node:assert/strict';
import { narrowCheckpoint } from '../../src/engine/checkpoint/width';
import { perplexityOfRows } from '../../src/engine/evaluate/perplexity';
import { measureWidth } from '../../src/engine/importance/width/measure';
import { WIDTH_METHODS, type WidthRequest } from '../../src/engine/importance/width/methods';
import type { Model } from '../../src/engine/model/model';
import { fullView } from '../../src/engine/model/view';
import { assertAllClose, assertClose } from '../support/close';
import { withModelOf } from '../support/model';
import { randomRows } from '../support/random';
import { tinyCheckpoint } from '../support/tiny-models';
import { describeWebGpu, onBoth } from '../support/webgpu';

const rows = randomRows(3, 40, 288, 61);
const REQUESTS: readonly WidthRequest[] = WIDTH_METHODS.map((method) => ({
  method,
  salience: 'mix',
  range: { first: 0, last: 1 },
}));

const choose = async (model: Model, request: WidthRequest) =>
  (await measureWidth(model, rows, request)).select({ ratio: 0.5 });

describeWebGpu('width pruning on WebGPU', () => {
  for (const request of REQUESTS) {
    it(`agrees with the CPU, ${request.method}`, () =>
      onBoth(tinyCheckpoint('qwen3-qknorm', { config: { num_hidden_layers: 2 } }), async (cpu, gpu) => {
        const [expected, actual] = [await choose(cpu, request), await choose(gpu, request)];
        for (const [i, { groups, neurons }] of expected.scores.entries()) {
          const most = Math.max(...neurons.map(Math.abs), ...groups.map(Math.abs));
          const tolerance = { absolute: 1e-3 * most };
          assertAllClose(actual.scores[i].groups, groups, tolerance, `groups of block ${i}`);
          assertAllClose(actual.scores[i].neurons, neurons, tolerance, `neurons of block ${i}`);
        }
        assert.equal(actual.parametersAfter, expected.parametersAfter);
        const { checkpoint } = cpu;
        const view = fullView(checkpoint.architecture!.layers.length);
        const losses = [];
        for (const device of ['cpu', 'webgpu'] as const) {
          const narrow = narrowCheckpoint(checkpoint, expected.width);
          losses.push(await withModelOf(narrow, (model) => perplexityOfRows(model, rows, view), { device }));
        }
        assertClose(losses[1].meanNll, losses[0].meanNll, { absolute: 1e-4 }, 'mean loss of the narrower model');
      }));
  }
});
