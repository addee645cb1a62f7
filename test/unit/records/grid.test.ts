/** A record of a grid as the panel shows it. */
import assert from 'node:assert/strict';
import { gridOf } from '../../../src/jobs/digest/grid';

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
