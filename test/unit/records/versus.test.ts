/** The comparison of depth and width in a record, as display data: what makes no sense is left out. */
import assert from 'node:assert/strict';
import { versusOf } from '../../../src/jobs/digest/versus';

describe('a comparison of depth and width in a record', () => {
  it('is nothing without models', () => {
    for (const results of [{}, { models: 'none' }, { models: [{ method: 'flap' }, { count: 3, kind: 'width' }] }])
      assert.equal(versusOf(results), undefined);
  });

  it('keeps models with what was measured of them', () => {
    const digest = versusOf({
      models: [
        { method: 'whole', kind: 'whole', count: 0, removed: [], ppl: 'Infinity', heads: { mean: 9 }, latency: 4 },
        { method: 'flap', kind: 'width', count: 3, failure: 'too small', parameters: '12', speedUp: null },
        { method: 'flap', kind: 'sideways', count: 3 },
      ],
      text: { from: 'calibration', name: 'prose.txt', rows: 10 },
      ended: 'cancelled',
    })!;
    const { models, ...rest } = digest;
    assert.deepEqual(rest, { text: 'prose.txt', rows: 10, calibrated: true, speed: null, cancelled: true });
    assert.equal(models.length, 2);
    assert.deepEqual([models[0].ppl, models[0].heads, models[0].latency], ['Infinity', { mean: 9, sd: 0 }, null]);
    assert.deepEqual([models[1].failure, models[1].parameters, models[1].ppl], ['too small', null, undefined]);
  });
});
