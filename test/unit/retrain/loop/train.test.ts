/** The training loop over losses that are made up: what is counted, and what is kept when they explode. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Parameters } from '../../../../src/engine/retrain/loop/adamw';
import type { Backprop } from '../../../../src/engine/retrain/loop/backprop';
import type { Batch } from '../../../../src/engine/retrain/loop/batch';
import { type Example, exampleOfText, type ExampleSet } from '../../../../src/engine/retrain/data/example';
import { DivergedError } from '../../../../src/engine/retrain/loop/explosion';
import type { TrainOptions } from '../../../../src/engine/retrain/loop/options';
import { train } from '../../../../src/engine/retrain/loop/train';
import type { TrainingState } from '../../../../src/engine/retrain/loop/training-state';
import type { Work } from '../../../../src/engine/progress';
import { temporaryFolder } from '../../../support/temporary';

const row = (length: number): Example => exampleOfText(Int32Array.from({ length }, (_, i) => i));
const OPTIONS: TrainOptions = {
  batch: 2,
  clip: 1,
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  seed: 1,
  evalEvery: 1,
  saveEvery: 2,
  learningRate: 0.5,
  warmup: 0,
  steps: 8,
};

interface Trained {
  readonly state: TrainingState;
  /** The one parameter, at the end and after each step. */
  readonly value: number;
  readonly values: readonly number[];
  readonly percent: number;
}

/** Trains one number; the losses are those of its steps, and of the evaluations before the first step and after each. */
async function trained(
  losses: readonly number[],
  evaluations: readonly number[],
  { rows = [row(4), row(4)], options = {} }: { rows?: readonly Example[]; options?: Partial<TrainOptions> } = {},
  batches?: ExampleSet['batches'],
): Promise<Trained> {
  const parameters: Parameters = new Map([['w', { values: new Float32Array(1), shape: [1], decays: false }]]);
  const values: number[] = [];
  let looked = 0;
  const backprop: Pick<Backprop, 'gradients' | 'loss'> = {
    gradients: ({ rows: some }: Batch, work?: Work) => {
      const now = parameters.get('w')!.values[0];
      values.push(now);
      work?.advance(some.reduce((sum, { length }) => sum + length, 0));
      const gradients = new Map([['w', Float32Array.of(-1)]]);
      return Promise.resolve({ loss: losses[values.length - 1], targets: 1, gradients });
    },
    loss: () =>
      Promise.resolve({ loss: evaluations[looked++], targets: 1, gradients: new Map<string, Float32Array>() }),
  };
  const data = { train: rows, heldOut: evaluations.length > 0 ? [row(4)] : [], batches };
  const path = join(temporaryFolder(), 'state.safetensors');
  let percent = 0;
  const state = await train(
    {
      backprop: backprop as Backprop,
      parameters,
      data,
      options: { ...OPTIONS, ...options },
      state: { path, run: { a: 1 }, resume: false },
    },
    { onProgress: ({ done, total }) => (percent = (100 * done) / total) },
  );
  return { state, value: parameters.get('w')!.values[0], values, percent };
}

describe('retrain/train: a loss that explodes', () => {
  it('after a good evaluation: the best parameters are kept, and it is said', async () => {
    const { state, value, values } = await trained([3, 2, 2, 9], [3, 2, 1, 2]);
    assert.deepEqual(state.stopped, { step: 4, why: 'the loss rose from 3.00 to 9.00', kept: 2 });
    assert.equal(value, values[2]);
    assert.deepEqual([state.step, state.best?.step, state.log.trace.length], [3, 2, 3]);
  });

  it('with nothing held out: the last saved ones are, if the step after them still was good', async () => {
    const { state, value, values } = await trained([3, 2, 2, NaN], []);
    assert.deepEqual(state.stopped, { step: 4, why: 'the loss is no longer a finite number', kept: 2 });
    assert.equal(value, values[2]);
    assert.equal(state.best, undefined);
  });

  it('with nothing to keep: no state is of use', async () => {
    const fails = (...run: Arguments): Promise<void> => assert.rejects(trained(...run), DivergedError);
    await fails([3, NaN], [3, 3]);
    await fails([3, NaN], []); // nothing was saved
    await fails([3, 2, NaN], []); // what was saved explodes
    await fails([3, 2, 4, NaN], []); // it was worse than the start
    await fails([3, 3], [3, 6]);
  });
});

type Arguments = globalThis.Parameters<typeof trained>;

describe('retrain/train: progress', () => {
  const fine = new Array<number>(8).fill(3);

  it('ends at a hundred percent, whatever rows the epochs leave out', async () => {
    const rows = [1, 40, 3, 9, 27].map((length) => row(length + 1));
    assert.equal((await trained(fine, [], { rows })).percent, 100);
  });

  it('counts the rows that a file fixes', async () => {
    const rows = [row(4), row(100), row(7)];
    const { percent, state } = await trained(fine, [], { rows, options: { steps: 3, batch: 64 } }, [[0], [1, 2]]);
    assert.equal(percent, 100);
    assert.deepEqual(
      state.log.trace.map(({ tokens }) => tokens),
      [4, 107, 4],
    );
  });
});
