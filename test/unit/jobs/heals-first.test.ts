/** Whether a retraining heals first: where it is asked for, and where a plan is trained and nothing else is said. */
import assert from 'node:assert/strict';
import { completeOptions } from '../../../src/jobs/complete';
import { JOBS } from '../../../src/jobs/definitions';
import { healedFile, healsFirst } from '../../../src/jobs/heals-first';
import { resumingOptions, settingsOf, teacherWeightOf } from '../../../src/jobs/retrain-settings';

describe('a retraining heals first', () => {
  it('where a plan is trained and nothing is said', () => {
    assert.equal(healsFirst({ remove: [3, 4] }), true);
    assert.equal(healsFirst({ remove: [] }), false);
    assert.equal(healsFirst({}), false);
    // The result of a step that is yet to run is a plan too.
    assert.equal(healsFirst({ remove: { later: 'chosen', fields: ['removed'] } }), true);
  });

  it('where it is asked for, and not where something else is', () => {
    assert.equal(healsFirst({ heal: 'first', remove: [1] }), true);
    assert.equal(healsFirst({ heal: 'none', remove: [1] }), false);
    assert.equal(healsFirst({ heal: '/w/healed.patch.safetensors', remove: [1] }), false);
  });

  it('not where its weights would not be trained, or nothing is', () => {
    assert.equal(healsFirst({ remove: [1], initAdapter: '/w/before' }), false);
    assert.equal(healsFirst({ remove: [1], init: 'random' }), false);
    assert.equal(healsFirst({ remove: [1, '2.ffn'] }), false);
  });

  it('names a file only where the option names one', () => {
    assert.deepEqual(
      [healedFile('first'), healedFile('none'), healedFile('/w/h'), healedFile(undefined)],
      [undefined, undefined, '/w/h', undefined],
    );
  });

  it('a teacher has half of the loss, and all of it on text that it wrote itself', () => {
    assert.equal(teacherWeightOf({ data: ['/d'] }), 0.5);
    assert.equal(teacherWeightOf({ data: ['self'] }), 1);
    assert.equal(teacherWeightOf({ data: ['self'], teacherWeight: 0.3 }), 0.3);
  });

  it('a stopped training goes on from what it began with', () => {
    const options = completeOptions(JOBS.retrain, {
      checkpoint: '/m',
      out: '/o',
      data: ['/d'],
      remove: [1],
      heal: 'none',
    });
    const { out, ...settings } = settingsOf(options);
    const request = { checkpoint: '/m', removed: [1], settings, compute: {} };
    assert.equal(resumingOptions(request, out).heal, 'none');
    assert.equal(resumingOptions({ ...request, heal: '/o.training/healed' }, out).heal, '/o.training/healed');
    assert.equal(resumingOptions({ ...request, removed: [] }, out).heal, undefined);
  });
});
