/** What keeps a job from being cut is known without the engine. */
import assert from 'node:assert/strict';
import { CUT_FAULTS } from '../../../src/jobs/parts/faults';
import { CUT_JOBS } from '../../../src/jobs/parts';
import { CUT_KINDS } from '../../../src/jobs/parts/part-record';

describe('faults of jobs that can be cut', () => {
  it('are the same for the editor and for parts', () => {
    for (const kind of CUT_KINDS) assert.equal(CUT_JOBS[kind].fault, CUT_FAULTS[kind], kind);
  });
});
