/** A record of a grid as the panel shows it, and the time that a grid is estimated to take. */
import { PLAIN_STYLE } from '../../../src/engine/checkpoint/architecture';
import assert from 'node:assert/strict';
import { gridOf } from '../../../src/engine/records/digest-grid';
import { fullView } from '../../../src/engine/model/view';
import { gridEstimate, learnGrid } from '../../../src/jobs/grid-estimate';
import type { GridResult } from '../../../src/protocol/grid';

const figure = (mean: number) => ({ mean, sd: 0 });
const measured = {
  times: [2],
  latency: figure(2),
  throughput: figure(64),
  firstToken: figure(0.1),
  laterToken: null,
  peakBytes: figure(1e9),
  busy: 0.5,
  compute: 0.2,
  bandwidth: null,
  floor: 0.5,
  speedUp: null,
};

const results = {
  batches: [1],
  newTokens: [128],
  runs: 1,
  warmup: 0,
  inTurns: true,
  limitBytes: 5e9,
  prompt: 'The',
  models: [
    {
      label: 'm',
      model: 'm',
      identity: 'id',
      removed: [3],
      ideal: null,
      cells: [
        { batch: 1, newTokens: 128, outcome: 'measured', predicted: { total: 2e9 }, measured },
        { batch: 8, newTokens: 128, outcome: 'oom', predicted: { total: 9e9 } },
        { batch: 'x', newTokens: 128, outcome: 'oom', predicted: { total: 9e9 } },
      ],
    },
    { label: 'gone', model: 'gone', removed: [], failure: 'not there', cells: [] },
  ],
};

describe('record of a grid', () => {
  it('has its models and cells, and leaves out what makes no sense', () => {
    const { models, limitBytes } = gridOf(results);
    assert.equal(limitBytes, 5e9);
    assert.deepEqual(models[0].of, { model: 'm', identity: 'id', removed: [3] });
    assert.deepEqual([models[1].of, models[1].failure], [undefined, 'not there']);
    const [first, second, ...others] = models[0].cells;
    assert.deepEqual(others, []);
    assert.deepEqual(
      [first.measured?.latency.mean, first.measured?.laterToken.mean, first.predictedBytes],
      [2, null, 2e9],
    );
    assert.deepEqual([second.outcome, second.measured], ['oom', undefined]);
    assert.deepEqual(gridOf({}).models, []);
  });
});

describe('estimate of a grid', () => {
  const layer = {
    heads: 4,
    kvHeads: 2,
    headDim: 8,
    ffn: 40,
    window: null,
    rope: null,
    biases: [],
    qkNorm: null,
    fused: false,
  };
  const architecture = {
    style: PLAIN_STYLE,
    family: 'llama',
    layers: [layer, layer],
    hidden: 32,
    vocabulary: 50,
    context: 64,
    rmsNormEps: 1e-5,
    tied: false,
    eosTokenIds: [],
  };
  const models = [{ architecture, view: fullView(2) }];
  const protocol = { batches: [1, 2], newTokens: [4], runs: 3, warmup: 1 };

  it('is a guess that says so, until a grid has run; then it is by what that one achieved', () => {
    const kept = new Map<string, unknown>();
    const store = {
      get: (key: string) => kept.get(key),
      update: (key: string, value: unknown) => Promise.resolve(void kept.set(key, value)),
    };
    const guess = gridEstimate(store, models, protocol, 2);
    assert.ok(!guess.measured && guess.seconds > 0);
    assert.ok(Math.abs(gridEstimate(store, [...models, ...models], protocol, 2).seconds / guess.seconds - 2) < 1e-9);
    const after = { flopsPerSecond: 4e10, bytesPerSecond: 8e9 };
    learnGrid(store, { ...results, rates: { before: after, after }, device: 'cpu' } as unknown as GridResult);
    const learned = gridEstimate(store, models, protocol, 2);
    assert.ok(learned.measured);
    // The cell took four times its floor, and both rates are those of the guess for two threads.
    assert.ok(Math.abs(learned.seconds / guess.seconds - 4) < 1e-9);
  });
});
