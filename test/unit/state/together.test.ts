/** Jobs that are one for the user: panels show them once, in the place of the one that runs, and cancel all of them. */
import assert from 'node:assert/strict';
import { withTogether } from '../../../src/editors/results/facts';
import type { PanelJob } from '../../../src/protocol/panel';
import { TogetherJobs } from '../../../src/state/together';

describe('views: jobs that are one', () => {
  it('stand in the place of the part that runs, in the panels of their model', () => {
    const together = new TogetherJobs();
    let [changes, cancelled] = [0, 0];
    together.onChange(() => changes++);
    const about = { kind: 'compare', checkpoint: '/m', word: 'Comparing' } as const;
    const id = together.begin(about, () => cancelled++);
    const own: PanelJob[] = ['1', '2'].map((job) => ({ id: job, kind: 'eval', word: 'Evaluating', state: 'running' }));
    const ids = (path: string): string[] => withTogether(path, own, together.all).map((job) => job.id);
    assert.deepEqual(
      [ids('/m'), ids('/other')],
      [
        [id, '1', '2'],
        ['1', '2'],
      ],
    );
    together.update(id, { part: '2', progress: { label: 'speed, 2 of 3', done: 1, total: 3, unit: 'share' } });
    assert.deepEqual(
      [ids('/m'), ids('/other')],
      [
        [id, '1'],
        ['1', '2'],
      ],
    );
    assert.equal(withTogether('/m', own, together.all)[0].progress?.label, 'speed, 2 of 3');
    assert.deepEqual([together.cancel('1'), together.cancel(id), cancelled], [false, true, 1]);
    together.end(id);
    together.update(id, {});
    assert.deepEqual([ids('/m'), changes], [['1', '2'], 3]);
  });
});
