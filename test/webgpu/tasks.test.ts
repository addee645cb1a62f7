/** Choices on the GPU against the CPU: trees of more tokens than its fused attention gets right, and the head's top. */
import assert from 'node:assert/strict';
import { questionOf, scoreQuestions } from '../../src/engine/evaluate/tasks/score';
import { fullView } from '../../src/engine/model/view';
import { Work } from '../../src/engine/progress';
import { assertClose } from '../support/close';
import { randomRows } from '../support/random';
import { tinyCheckpoint, type TinyName } from '../support/tiny-models';
import { describeWebGpu, onBoth } from '../support/webgpu';

/** Absolute, on sums of up to twelve log-probabilities. */
const TOLERANCE = { absolute: 2e-4 };

describeWebGpu('choices on WebGPU', () => {
  for (const name of ['llama-gqa-tied', 'mistral-window'] satisfies TinyName[]) {
    it(`score as on the CPU, toy ${name}`, () =>
      onBoth(tinyCheckpoint(name), async (cpu, gpu) => {
        const { vocabulary, layers } = cpu.architecture;
        const [context, a, b] = randomRows(3, 40, vocabulary, 5);
        const row = (ids: readonly number[], count: number): { fed: number[]; targets: number[] } => ({
          fed: ids.slice(0, -1),
          targets: ids.slice(-count),
        });
        const questions = [
          questionOf(
            [row([...context, ...a.slice(0, 12)], 12), row([...context, ...b.slice(0, 7)], 7)],
            cpu.architecture,
          ),
          questionOf([row(a.slice(0, 9), 3), row(b.slice(0, 5), 1)], cpu.architecture),
        ];
        const work = (): Work => new Work({}, 1, '', '');
        const [onCpu] = await scoreQuestions(cpu, fullView(layers.length), [questions], work());
        const [onGpu] = await scoreQuestions(gpu, fullView(layers.length), [questions], work());
        for (const [q, scores] of onCpu.entries()) {
          for (const [c, { loglik, greedy }] of scores.entries()) {
            assertClose(onGpu[q][c].loglik, loglik, TOLERANCE, `${q} ${c}`);
            assert.equal(onGpu[q][c].greedy, greedy);
          }
        }
      }));
  }
});
